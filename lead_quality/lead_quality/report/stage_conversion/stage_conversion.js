{
	const { check, formatter, in_bold, in_red, link, period, select } = lead_quality.report;
	const cell = formatter();
	const depends_on = "eval:doc.show === 'Leads'";
	const no_step = ["", ""];
	const data = (fieldname, label, more = {}) => ({ fieldname, label, fieldtype: "Data", ...more });

	frappe.query_reports["Stage Conversion"] = {
		onload: lead_quality.report.export_all,
		filters: [
			select("group_by", __("Group By"), [
				["Stage", __("Stage")],
				["Month", __("Month")],
				["Quarter", __("Quarter")],
				["Week", __("Week")],
				["Source", __("Source")],
				["Segment", __("Segment")],
				["Campaign", __("Campaign")],
				["Territory", __("Territory")],
				["Owner", __("Owner")],
				["Company", __("Company")],
				["Definition", __("Definition")],
			]),
			...period(__("Came in from"), __("Came in until"), 6),
			{
				fieldname: "within_days",
				label: __("Within Days"),
				fieldtype: "Int",
				default: 0,
				description: __("Empty: reached ever"),
			},
			check("all_steps", __("Also Sales Ready, Accepted, Quoted")),
			select("as_at", __("Source, Owner, … as They Were"), [
				["At Entry", __("At Entry")],
				["Today", __("Today")],
			]),
			data("source", __("Source")),
			check("without_source", __("Without Source")),
			link("segment", __("Segment"), "Lead Segment"),
			data("campaign", __("Campaign")),
			link("territory", __("Territory"), "Territory"),
			link("owner", __("Owner"), "User"),
			link("company", __("Company"), "Company"),
			link("checklist", __("Definition"), "Qualification Checklist"),
			select("chart", __("Chart"), [
				["Steps", __("Steps")],
				["Days", __("Days")],
			]),
			select("show", __("Show"), [
				["Steps", __("Steps")],
				["Leads", __("Leads")],
			]),
			select(
				"count",
				__("Leads Counted As"),
				[
					["leads", __("All")],
					["reached", __("Reached")],
					["lost", __("Lost Here")],
					["open", __("Still Open Here")],
					["skipped", __("Skipped")],
					["in_period", __("Reached in This Period")],
					["sales_without_lead", __("Sales Without Lead")],
				],
				{ depends_on },
			),
			select(
				"step",
				__("Step"),
				[
					no_step,
					["target", __("Target")],
					["prospect", __("Prospect")],
					["sales ready", __("Sales Ready")],
					["accepted", __("Accepted")],
					["opportunity", __("Opportunity")],
					["quoted", __("Quoted")],
					["sale", __("Sale")],
				],
				{ depends_on },
			),
			data("group", __("Of Group"), { depends_on }),
			check("without_group", __("Without Group"), { depends_on }),
			check("include_non_buyers", __("Include Non-Buyers")),
		],
		formatter(value, row, column, data, default_formatter) {
			const text = cell(value, row, column, data, default_formatter);
			const is_leak = data?.is_leak && column.fieldname === "from_previous";
			return is_leak ? in_red(in_bold(text)) : text;
		},
	};
}
