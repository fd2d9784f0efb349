// What the desk knows of the app. The client scripts of DocTypes, reports and pages find it as `lead_quality`.

import { start } from "./desk/deadlines.js";
import { health_page } from "./desk/health.js";
import { follow_moved } from "./desk/moved.js";
import * as report from "./desk/report.js";
import { versioned_form } from "./desk/versioned.js";
import * as communication from "./forms/communication.js";
import * as follow_up from "./forms/follow_up.js";
import * as follow_up_policy from "./forms/follow_up_policy.js";
import * as funnel_target from "./forms/funnel_target.js";
import * as lead_handover from "./forms/lead_handover.js";
import * as lead_priority_model from "./forms/lead_priority_model.js";
import * as lead_segment from "./forms/lead_segment.js";
import * as lead_touch from "./forms/lead_touch.js";
import * as lead_transfer from "./forms/lead_transfer.js";
import * as nurture_cadence from "./forms/nurture_cadence.js";
import * as qualification_checklist from "./forms/qualification_checklist.js";
import * as sales_ready_agreement from "./forms/sales_ready_agreement.js";
import * as settings from "./forms/settings.js";
import * as working_calendar from "./forms/working_calendar.js";
import { lead_form } from "./lead/form.js";
import { lead_list } from "./lead/list.js";
import * as qualification from "./qualification/form.js";

frappe.provide("lead_quality");

Object.assign(lead_quality, {
	report,
	health_page,
	lead_form,
	lead_list,
	versioned_form,
	...communication,
	...follow_up,
	...follow_up_policy,
	...funnel_target,
	...lead_handover,
	...lead_priority_model,
	...lead_segment,
	...lead_touch,
	...lead_transfer,
	...nurture_cadence,
	...qualification,
	...qualification_checklist,
	...sales_ready_agreement,
	...settings,
	...working_calendar,
});

start();
follow_moved();
