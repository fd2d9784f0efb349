{
	const { check, formatter, link, period, select } = lead_quality.report;
	const depends_on = "eval:doc.show === 'Leads'";
	const data = (fieldname, label) => ({ fieldname, label, fieldtype: "Data" });

	frappe.query_reports["Leaks"] = {
		onload: lead_quality.report.export_all,
		filters: [
			...period(__("Came in from"), __("Came in until"), 6),
			link("company", __("Company"), "Company"),
			data("source", __("Source")),
			check("without_source", __("Without Source")),
			link("segment", __("Segment"), "Lead Segment"),
			data("campaign", __("Campaign")),
			link("territory", __("Territory"), "Territory"),
			link("owner", __("Owner"), "User"),
			select("as_at", __("Source, Owner, … as They Were"), [
				["At Entry", __("At Entry")],
				["Today", __("Today")],
			]),
			select("show", __("Show"), [
				["Steps", __("Steps")],
				["Leads", __("Leads")],
			]),
			select(
				"count",
				__("Leads Counted As"),
				[
					["lost", __("Lost Before")],
					["leads", __("Leads")],
					["reached", __("Reached It")],
					["open", __("Still Open")],
					["young", __("Too Young to Tell")],
					["won", __("Won With a Value")],
				],
				{ depends_on },
			),
			select(
				"step",
				__("Step"),
				[
					["prospect", __("Prospect")],
					["sales ready", __("Sales Ready")],
					["accepted", __("Accepted")],
					["opportunity", __("Opportunity")],
					["quoted", __("Quoted")],
					["sale", __("Sale")],
				],
				{ depends_on },
			),
			{ ...link("target", __("Funnel Target"), "Funnel Target"), depends_on },
			check("include_non_buyers", __("Include Non-Buyers")),
		],
		formatter: formatter(),
	};
}
