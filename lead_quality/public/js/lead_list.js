// Lead list: what burns at a glance. ERPNext's own settings stay as they are.

{
	const settings = (frappe.listview_settings["Lead"] = frappe.listview_settings["Lead"] || {});
	const VERDICT_COLOURS = { Open: "orange", "Sales Ready": "green", Nurture: "blue", Disqualified: "gray" };
	// a lead whose clocks are not known, or may not be read, is urgent within the hour
	const URGENT = 3600_000;
	const LOOK_AGAIN = 60_000;
	// v16 measures a column by what it shows at first; the name of the clock comes a moment later
	const WIDTH = 210;
	const { deadlines } = lead_quality;

	// lead to its most urgent clock, as read last
	let clocks = {};

	settings.add_fields = [...(settings.add_fields || []), "lq_verdict", "lq_due_at", "lq_non_buyer"];
	settings.formatters = {
		...(settings.formatters || {}),
		lq_verdict: (value, df, lead) => {
			if (!value) return "";
			const non_buyer = `<span class="small text-muted">${__("Not a buyer")}</span>`;
			return `<span class="indicator-pill ${VERDICT_COLOURS[value]}">${__(value)}</span> ${
				cint(lead.lq_non_buyer) ? non_buyer : ""
			}`;
		},
		lq_due_at: (value, df, lead) => cell_html(lead),
	};

	// the edge of a row shows from afar what the words beside it say
	const edge = (state, colour) => `
		.list-row-container:has([data-due-of] [data-state="${state}"]) {
			box-shadow: inset 3px 0 0 var(--${colour}-500);
			border-top-left-radius: 0;
			border-bottom-left-radius: 0;
		}`;
	// room for the clock's name beside the deadline, where Frappe does not measure columns (v15); and on a narrow screen
	// the title gives way
	const room = `
		.list-row-col:has(> [data-due-of]:first-child), .list-row-col:has(> [data-sort-by=lq_due_at]) { flex: 1.8; }
		.list-subject > [data-due-of] { flex: none; margin-left: auto; padding-left: 8px; }
		.list-subject:has(> [data-due-of]) > .ellipsis { flex-shrink: 1; }`;
	frappe.dom.set_style(room + edge("Overdue", "red") + edge("Warning", "orange"), "lead-quality-list");

	const due_html = (lead) => {
		if (!lead.lq_due_at || cint(lead.lq_non_buyer)) return "";
		const clock = clocks[lead.name] || {
			due_at: lead.lq_due_at,
			warn_at: deadlines.instant(lead.lq_due_at) - URGENT,
		};
		const name = clock.clock ? __(clock.clock) : "";
		return `${deadlines.html(clock, { look: "pill", title: name })}
			<span class="small text-muted hidden-xs">${name}</span>`;
	};

	// Frappe leaves no room on a narrow screen for what is `filterable` and empty (v16)
	const cell_html = (lead) => {
		const html = due_html(lead);
		return `<span data-due-of="${lead.name}" class="${html ? "" : "filterable"}">${html}</span>`;
	};

	// where a narrow screen does not show the column Due (v15), it stands beside the title
	const show_beside_title = (list) => {
		if (!frappe.is_mobile()) return;
		for (const lead of list.data) {
			const $row = row_of(list, lead.name);
			if ($row.find(".mobile-layout").length) return;
			$row.find(".list-subject").append(cell_html(lead));
		}
	};

	const row_of = (list, name) =>
		list.$result.find(`.list-row-checkbox[data-name="${CSS.escape(name)}"]`).closest(".list-row-container");

	// The clocks of the leads that are shown, in one query, which no realtime connection is needed for.
	const look = async (list) => {
		const names = list.data.map((lead) => lead.name);
		if (!names.length || !frappe.model.can_read("Follow Up Clock")) return;
		const rows = await frappe.xcall("frappe.client.get_list", {
			doctype: "Follow Up Clock",
			filters: {
				lead: ["in", names],
				stopped_at: ["is", "not set"],
				status: ["in", ["Running", "Paused", "Missed"]],
			},
			fields: ["lead", "clock", "warn_at", "due_at", "paused_until"],
			order_by: "due_at asc",
			limit_page_length: 0,
		});
		const found = {};
		for (const row of rows) {
			const before = found[row.lead];
			const is_paused = (clock) => deadlines.state(deadlines.of(clock)) === "Paused";
			// what rests is shown only where nothing else is due
			if (!before || (is_paused(before) && !is_paused(row))) found[row.lead] = row;
		}
		clocks = found;
		for (const lead of list.data.filter((lead) => names.includes(lead.name))) {
			lead.lq_due_at = found[lead.name]?.due_at || null;
			list.$result.find(`[data-due-of="${CSS.escape(lead.name)}"]`).each((_, cell) => {
				const html = due_html(lead);
				$(cell).html(html).toggleClass("filterable", !html);
			});
		}
	};

	// Due and Verdict first, where the user has not chosen columns: a laptop has room for a few only
	const arrange_columns = (list) => {
		if (list.list_view_settings?.fields) return;
		const own = ["lq_due_at", "lq_verdict"].map((fieldname) => ({
			type: "Field",
			df: frappe.meta.get_docfield("Lead", fieldname),
		}));
		const count = list.columns.length;
		const is_own = (column) => own.some(({ df }) => df.fieldname === column.df?.fieldname);
		const others = list.columns.filter((column) => !is_own(column));
		const id = others.at(-1)?.df?.fieldname === "name" ? [others.pop()] : [];
		const after = others.findIndex((column) => column.type === "Status") + 1;
		others.splice(after, 0, ...own);
		list.columns = [...others.slice(0, Math.max(count - id.length, after + own.length)), ...id];
	};

	// sorted by criteria met, the lead that has waited longest comes first among equals
	const sort_by_criteria = (selector) => {
		const own_order = selector.get_sql_string.bind(selector);
		selector.get_sql_string = () =>
			selector.sort_by === "lq_met_count"
				? `\`tabLead\`.\`lq_met_count\` ${selector.sort_order}, \`tabLead\`.\`creation\` asc`
				: own_order();
	};

	// Who sorts by Due wants to see what is due, the first first. The database puts first what is not due at all, so that
	// is filtered out: in sight of the user, who may take the filter off.
	const sort_by_due = (list) => {
		const selector = list.sort_selector;
		const leave_out_what_is_not_due = async () => {
			if (selector.sort_by !== "lq_due_at" || selector.sort_order !== "asc") return;
			await list.filter_area.add([["Lead", "lq_due_at", "is", "set"]], false);
		};
		const set_value = selector.set_value.bind(selector);
		selector.set_value = (sort_by, sort_order) => {
			const is_new = sort_by === "lq_due_at" && selector.sort_by !== sort_by;
			set_value(sort_by, is_new ? "asc" : sort_order);
			if (sort_by === "lq_due_at") leave_out_what_is_not_due().then(() => list.refresh());
		};
		// a link to the list brings filters of its own, and leaves the order as it was
		const before_refresh = list.before_refresh.bind(list);
		list.before_refresh = async () => {
			await before_refresh();
			await leave_out_what_is_not_due();
		};
	};

	const { onload } = settings;
	settings.onload = (list) => {
		onload?.(list);

		if (list.sort_selector) {
			sort_by_criteria(list.sort_selector);
			sort_by_due(list);
		}
		if (frappe.model.can_create("Lead Transfer")) {
			list.page.add_menu_item(__("Give Leads Away"), () => frappe.new_doc("Lead Transfer"));
		}
		// reports and boards of leads are lists too, with columns of their own
		if (list.view_name !== "List") return;

		const setup_columns = list.setup_columns.bind(list);
		list.setup_columns = () => {
			setup_columns();
			arrange_columns(list);
		};
		list.setup_columns();
		list.render_header(true);

		const render_list = list.render_list.bind(list);
		list.render_list = () => {
			if (list.column_max_widths && !frappe.is_mobile()) list.column_max_widths.lq_due_at = WIDTH;
			render_list();
			show_beside_title(list);
			look(list);
		};
		setInterval(() => {
			if (cur_list === list && list.$result.is(":visible") && !document.hidden) look(list);
		}, LOOK_AGAIN);
	};
}
