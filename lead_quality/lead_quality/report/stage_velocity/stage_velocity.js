{
	const { as_of, formatter, journey_filters, minimum, select } = lead_quality.report;
	const cases = { median_days: ["leads"], p90_days: ["leads"], slowest_days: ["leads"] };

	frappe.query_reports["Stage Velocity"] = {
		onload: lead_quality.report.export_all,
		get_chart_data: lead_quality.report.chart,
		filters: journey_filters({
			months: 6,
			groups: ["All Leads", "Source", "Segment", "Owner", "Month"],
			as_at: true,
			non_buyers: true,
			more: [as_of(), minimum()],
			shows: ["Steps", __("Steps")],
			counts: [
				["leads", __("Leads")],
				["without_lead", __("No Lead")],
			],
			of_list: [
				select("way", __("Step"), [
					["", ""],
					["Came In to Prospect", __("Came In to Prospect")],
					["Came In to Sales Ready", __("Came In to Sales Ready")],
					["Handed Over to Accepted", __("Handed Over to Accepted")],
					["Prospect to Opportunity", __("Prospect to Opportunity")],
					["Opportunity to Quoted", __("Opportunity to Quoted")],
					["Quoted to Sale", __("Quoted to Sale")],
					["Came In to Sale", __("Came In to Sale")],
				]),
			],
		}),
		formatter: formatter(cases),
	};
}
