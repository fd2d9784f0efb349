{
	const { check, formatter, link, minimum, period, select } = lead_quality.report;
	// a share, and the number of cases that it is taken of
	const cases = {
		cry_wolf_percent: ["handed_over"],
		acceptance_percent: ["decided"],
		without_percent: ["asked"],
	};
	const depends_on = "eval:doc.show === 'Handovers'";

	frappe.query_reports["Handover Quality"] = {
		onload: lead_quality.report.export_all,
		get_chart_data: lead_quality.report.chart,
		filters: [
			select("group_by", __("Group By"), [
				["Marketer", __("Marketer")],
				["Rep", __("Rep")],
				["Source", __("Source")],
				["Segment", __("Segment")],
				["Checklist", __("Checklist")],
				["Month", __("Month")],
			]),
			...period(__("Sent from"), __("Sent until"), 12),
			link("company", __("Company"), "Company"),
			link("segment", __("Segment"), "Lead Segment"),
			{
				fieldname: "criterion",
				label: __("Handed Over Without"),
				fieldtype: "Autocomplete",
				get_query: "lead_quality.lead_quality.report.handover_quality.handover_quality.get_criteria",
				description: __("A criterion of the checklists. Empty: the need, where it is asked for"),
			},
			minimum(),
			select("show", __("Show"), [
				["Groups", __("Groups")],
				["Handovers", __("Handovers")],
			]),
			select(
				"count",
				__("Handovers Counted As"),
				[
					["handed_over", __("Handed Over")],
					["accepted", __("Accepted")],
					["rejected", __("Rejected")],
					["returned", __("Returned")],
					["pulled_back", __("Pulled Back")],
					["waiting", __("Waiting")],
					["decided", __("Decided")],
					["without", __("Without the Criterion")],
					["became_opportunity", __("Became Opportunity")],
					["became_sale", __("Became Sale")],
				],
				{ depends_on },
			),
			{ fieldname: "group", label: __("Of Group"), fieldtype: "Data", depends_on },
			check("without_group", __("Without Group"), { depends_on }),
		],
		formatter: formatter(cases),
	};
}
