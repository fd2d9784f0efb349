{
	const { check, formatter, link, minimum, period, select } = lead_quality.report;
	const depends_on = "eval:doc.show === 'Leads'";
	const cases = {
		quoted_percent: ["leads"],
		opportunities_percent: ["opportunities"],
		called_percent: ["quoted"],
		median_days: ["quoted"],
		p90_days: ["quoted"],
	};

	frappe.query_reports["Lead to Proposal"] = {
		onload: lead_quality.report.export_all,
		filters: [
			select("group_by", __("Group By"), [
				["Month", __("Month")],
				["Source", __("Source")],
				["Segment", __("Segment")],
				["Campaign", __("Campaign")],
				["Owner", __("Owner")],
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
				["Groups", __("Groups")],
				["Leads", __("Leads")],
			]),
			select(
				"count",
				__("Leads Counted As"),
				[
					["leads", __("Leads")],
					["opportunities", __("Opportunities")],
					["quoted", __("With a Quotation")],
					["quoted_opportunities", __("Opportunities with a Quotation")],
					["without", __("Opportunities Without")],
					["called", __("Called After It")],
					["not_called", __("Not Called")],
				],
				{ depends_on },
			),
			{ fieldname: "group", label: __("Of Group"), fieldtype: "Data", depends_on },
			check("without_group", __("Without Group"), { depends_on }),
		],
		formatter: formatter(cases),
	};
}
