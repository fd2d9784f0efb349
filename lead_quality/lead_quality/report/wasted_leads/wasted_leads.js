{
	const { check, formatter, link, period, select } = lead_quality.report;
	const depends_on = "eval:doc.show === 'Leads'";

	frappe.query_reports["Wasted Leads"] = {
		onload: lead_quality.report.export_all,
		filters: [
			select("group_by", __("Group By"), [
				["Month", __("Month")],
				["Source", __("Source")],
				["Owner", __("Owner")],
				["Age", __("Age")],
			]),
			...period(__("Came in from"), __("Came in until"), 6),
			link("company", __("Company"), "Company"),
			link("segment", __("Segment"), "Lead Segment"),
			{ fieldname: "source", label: __("Source"), fieldtype: "Data" },
			link("owner", __("Owner"), "User"),
			select("show", __("Show"), [
				["Groups", __("Groups")],
				["Leads", __("Leads")],
			]),
			select(
				"count",
				__("Leads Counted As"),
				[
					["wasted", __("Wasted")],
					["leads", __("Leads")],
					["since_entry", __("Since They Came In")],
					["since_acceptance", __("Since Sales Accepted")],
					["young", __("Too Young to Tell")],
				],
				{ depends_on },
			),
			{ fieldname: "group", label: __("Of Group"), fieldtype: "Data", depends_on },
			check("without_group", __("Without Group"), { depends_on }),
		],
		formatter: formatter(),
	};
}
