{
	const { check, formatter, link, minimum, period, select } = lead_quality.report;
	const depends_on = "eval:doc.show === 'Leads'";
	const cases = { median_days: ["leads"], p90_days: ["leads"], slowest_days: ["leads"] };

	frappe.query_reports["Stage Velocity"] = {
		onload: lead_quality.report.export_all,
		filters: [
			select("group_by", __("Group By"), [
				["All Leads", __("All Leads")],
				["Source", __("Source")],
				["Segment", __("Segment")],
				["Owner", __("Owner")],
				["Month", __("Month")],
			]),
			...period(__("Came in from"), __("Came in until"), 6),
			link("company", __("Company"), "Company"),
			link("segment", __("Segment"), "Lead Segment"),
			{ fieldname: "source", label: __("Source"), fieldtype: "Data" },
			check("without_source", __("Without Source")),
			link("owner", __("Owner"), "User"),
			select("as_at", __("Source, Segment, Owner"), [
				["At Entry", __("As They Came In")],
				["Today", __("Today")],
			]),
			check("include_non_buyers", __("Include Not Buyers")),
			minimum(),
			select("show", __("Show"), [
				["Steps", __("Steps")],
				["Leads", __("Leads")],
			]),
			select(
				"way",
				__("Step"),
				[
					["", ""],
					["Came In to Prospect", __("Came In to Prospect")],
					["Came In to Sales Ready", __("Came In to Sales Ready")],
					["Handed Over to Accepted", __("Handed Over to Accepted")],
					["Prospect to Opportunity", __("Prospect to Opportunity")],
					["Opportunity to Quoted", __("Opportunity to Quoted")],
					["Quoted to Sale", __("Quoted to Sale")],
					["Came In to Sale", __("Came In to Sale")],
				],
				{ depends_on },
			),
			{ fieldname: "group", label: __("Of Group"), fieldtype: "Data", depends_on },
			check("without_group", __("Without Group"), { depends_on }),
		],
		formatter: formatter(cases),
	};
}
