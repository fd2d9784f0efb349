{
	const { check, formatter, link, period, select } = lead_quality.report;
	const of_leads = { depends_on: "eval:doc.show === 'Leads'" };

	frappe.query_reports["Definition Use"] = {
		onload: lead_quality.report.export_all,
		get_chart_data: lead_quality.report.chart,
		filters: [
			...period(__("Came in from"), __("Came in until"), 3),
			link("company", __("Company"), "Company"),
			link("segment", __("Segment"), "Lead Segment"),
			select("show", __("Show"), [
				["Reps", __("Reps")],
				["Leads", __("Leads")],
			]),
			select(
				"count",
				__("Leads Counted As"),
				[
					["leads", __("Leads")],
					["asked", __("Asked")],
					["not_asked", __("Not Asked")],
					["sales_ready", __("Sales Ready")],
				],
				of_leads,
			),
			{ ...link("user", __("Owner"), "User"), ...of_leads },
			check("without_user", __("Without Owner"), of_leads),
		],
		formatter: formatter(),
	};
}
