{
	const { check, formatter, link, period, select } = lead_quality.report;
	const depends_on = "eval:doc.show === 'Leads'";

	frappe.query_reports["Qualified Leads"] = {
		onload: lead_quality.report.export_all,
		filters: [
			select("group_by", __("Group By"), [
				["Month", __("Month")],
				["Source", __("Source")],
				["Segment", __("Segment")],
				["Owner", __("Owner")],
			]),
			...period(__("Came in from"), __("Came in until"), 3),
			link("company", __("Company"), "Company"),
			link("segment", __("Segment"), "Lead Segment"),
			{ fieldname: "source", label: __("Source"), fieldtype: "Data" },
			check("without_source", __("Without Source")),
			link("owner", __("Owner"), "User"),
			select("show", __("Show"), [
				["Groups", __("Groups")],
				["Leads", __("Leads")],
			]),
			select(
				"count",
				__("Leads Counted As"),
				[
					["qualified", __("Qualified")],
					["leads", __("Leads")],
					["pursued", __("Pursued")],
					["not_pursued", __("Not Pursued")],
					["closed", __("Closed Without")],
					["answered", __("With a First Response")],
				],
				{ depends_on },
			),
			{ fieldname: "group", label: __("Of Group"), fieldtype: "Data", depends_on },
			check("without_group", __("Without Group"), { depends_on }),
		],
		formatter: formatter(),
	};
}
