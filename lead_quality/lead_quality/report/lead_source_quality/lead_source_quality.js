{
	const { check, formatter, link, period, select } = lead_quality.report;

	frappe.query_reports["Lead Source Quality"] = {
		onload: lead_quality.report.export_all,
		filters: [
			...period(__("Came in from"), __("Came in until"), 12),
			link("company", __("Company"), "Company"),
			link("segment", __("Segment"), "Lead Segment"),
			{ fieldname: "source", label: __("Source"), fieldtype: "Data" },
			check("without_source", __("Without Source")),
			select("show", __("Show"), [
				["Sources", __("Sources")],
				["Leads", __("Leads")],
			]),
			select(
				"count",
				__("Leads Counted As"),
				[
					["leads", __("Leads")],
					["not_buyers", __("Not Buyers")],
					["bad_data", __("Bad Data")],
					["buyers", __("Buyers")],
					["qualified", __("Qualified")],
					["handed_over", __("Handed Over")],
					["accepted", __("Accepted")],
					["declined", __("Declined")],
				],
				{ depends_on: "eval:doc.show === 'Leads'" },
			),
		],
		formatter: formatter(),
	};
}
