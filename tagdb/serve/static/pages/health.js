// Health: what the doctor, coverage, factor runs, index checks and ingests say, in words and small charts.
import { get, post } from "../api.js";
import { columns, line, table } from "../charts.js";
import { confirmed } from "../confirm.js";
import { byId, coded, empty, h, into, note } from "../dom.js";
import { session as started } from "../shell.js";
import { say, sayError } from "../toast.js";
import { count, day, moment, number, percent, score, seconds, share } from "../words.js";

const POLL = 3000; // milliseconds between looks at what runs
const LIVES = 24 * 3600e3; // an ingest that began longer ago and has not finished was interrupted

const session = await started;
const view = async (name, limit = 20) => (await get(`/v1/views/${name}`, { limit })).rows;

// ---- at a glance ----

const drawFigures = () => into(byId("figures"), async () => {
  const status = await get("/v1/status");
  const figure = (title, value, more) => h("div", {}, h("dt", {}, title), h("dd", {}, value, more ? h("small", {}, more) : null));
  return h("dl", { class: "figures" },
    figure("Photos", number(status.images)), figure("Hashtags", number(status.hashtags)),
    figure("Factor run", status.factor_run ? String(status.factor_run.factor_run_id) : "none", status.factor_run?.computed_at && `of ${day(status.factor_run.computed_at)}`),
    figure("Backbone", status.backbone ?? "none"),
    figure("Statistics", status.statistics?.refreshed_at ? day(status.statistics.refreshed_at) : "never", "last counted"),
    status.index ? figure("Index recall", score(status.index.recall), day(status.index.checked_at)) : null,
    figure("Workers", number(status.queue.workers), status.queue.photos ? `${count(status.queue.photos, "photo")} waiting` : "idle"));
});

// ---- the doctor ----

const SEVERITIES = { wrong: ["bad", "wrong"], advice: ["advice", "advice"], skipped: ["", "not checked"], ok: ["good", "fine"] };

function finding(one) {
  const [kind, words] = SEVERITIES[one.severity] ?? ["", one.severity];
  return h("li", { class: "finding" }, h("span", { class: `mark ${kind}` }, words), h("span", {}, one.sentence),
    one.remedy ? h("pre", { class: "remedy wrapped" }, one.remedy) : null);
}

const examine = () => into(byId("doctor"), async () => {
  const { findings } = await get("/v1/doctor");
  const order = Object.keys(SEVERITIES);
  const told = findings.filter((one) => one.severity !== "ok").sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
  const fine = findings.filter((one) => one.severity === "ok");
  const wrong = told.filter((one) => one.severity === "wrong").length;
  return h("div", { class: "stack" },
    h("p", { class: "soft" }, wrong ? `${count(wrong, "thing is", "things are")} wrong; ${count(fine.length, "check")} found nothing.` : told.length ? `Nothing is wrong; ${count(fine.length, "check")} found nothing at all.` : `All ${fine.length} checks found nothing wrong.`),
    told.length ? h("ul", {}, told.map(finding)) : null,
    fine.length ? h("details", {}, h("summary", {}, "What is fine"), h("ul", {}, fine.map(finding))) : null);
}, "Examining the database, which may take some seconds…");

// ---- coverage, acceptance ----

const drawCoverage = () => into(byId("coverage"), async () => {
  const [row] = await view("coverage", 1);
  if (!row?.images) return empty("No photos yet", coded("Store some on the page Tag, or run `tagdb ingest photos/`"));
  const part = (words, all, missing) => {
    const have = all ? (all - missing) / all : 0;
    return h("li", { class: "share-row" }, h("span", { class: "row between" }, h("span", {}, words), h("strong", {}, share(have))),
      h("span", { class: "meter", "aria-hidden": "true", vars: { "--share": have } }),
      missing ? h("span", { class: "soft small-words" }, `${number(missing)} of ${number(all)} are missing`) : null);
  };
  return h("ul", { class: "shares" },
    part("Photos with an embedding, which searches find", row.images, row.images_without_embedding),
    part("Photos with hashtags, which factors learn from", row.images, row.images_without_hashtags),
    part("Photos with factors, which are used as neighbours", row.images, row.images_without_factors),
    part("Hashtags with factors, which can be recommended", row.hashtags, row.hashtags_without_factors),
    row.images_folded_in ? h("li", { class: "soft small-words" }, `${number(row.images_folded_in)} of these photos are newer than the factors and were folded in.`) : null);
});

const drawAcceptance = () => into(byId("acceptance"), async () => {
  const rows = await view("acceptance", 200);
  if (!rows.length) return empty("No feedback yet", "It comes from accepting and rejecting hashtags of stored photos.");
  const weeks = new Map();
  for (const one of rows) {
    const week = weeks.get(one.week) ?? { accepted: 0, rejected: 0 };
    weeks.set(one.week, { accepted: week.accepted + one.accepted, rejected: week.rejected + one.rejected });
  }
  const points = [...weeks].sort(([a], [b]) => (a < b ? -1 : 1)).slice(-26).map(([week, one]) => ({ label: day(week), value: one.accepted / (one.accepted + one.rejected) }));
  const sums = rows.reduce((sum, one) => [sum[0] + one.accepted, sum[1] + one.rejected], [0, 0]);
  return [
    h("p", { class: "soft" }, `${percent(sums[0] / (sums[0] + sums[1]))} of ${number(sums[0] + sums[1])} judged hashtags were accepted.`),
    points.length > 1 ? line(points, { title: "Share of accepted hashtags by week", format: percent, most: 1 }) : null,
  ];
});

// ---- factor runs ----

const STATES = { active: "good", failed: "bad", building: "advice" };

function metrics(run) {
  return run.metrics && typeof run.metrics === "object" ? Object.entries(run.metrics).filter(([, value]) => typeof value === "number") : [];
}

const drawRuns = () => into(byId("runs"), async () => {
  const rows = (await view("factor_runs", 50)).sort((a, b) => b.factor_run_id - a.factor_run_id);
  if (!rows.length) return empty("No factors yet", coded(session.writes ? "Compute them to get recommendations." : "`tagdb factors compute` makes them."));
  const active = rows.find((one) => one.status === "active");
  const act = (run) => {
    if (!session.writes || run.pruned_at || !["ready", "retired"].includes(run.status)) return "";
    const words = active && run.factor_run_id < active.factor_run_id ? "Roll back to it" : "Activate";
    return h("button", { type: "button", class: "small", "aria-label": `${words}: run ${run.factor_run_id}`, onclick: () => activate(run.factor_run_id) }, words);
  };
  const heads = [{ title: "Run" }, { title: "State", short: true }, { title: "Begun", short: true }, { title: "Factors", figure: true }, { title: "Photos", figure: true }, { title: "Hashtags", figure: true }, { title: "Took", figure: true }, { title: "" }];
  const measured = rows.filter((run) => metrics(run).length).reverse();
  return [
    compare(measured),
    table("Factor runs", heads, rows.map((run) => [
      String(run.factor_run_id), h("span", { class: `mark ${STATES[run.status] ?? ""}` }, run.pruned_at ? "dropped" : run.status), moment(run.created_at),
      number(run.factors), number(run.images), number(run.hashtags), seconds(run.seconds), act(run)])),
  ];
});

/** The first metric of each run as columns, and all of them in a table. */
function compare(runs) {
  const names = [...new Set(runs.flatMap((run) => metrics(run).map(([name]) => name)))];
  if (!names.length) return null;
  const best = names.find((name) => /ndcg.*10$/i.test(name)) ?? names.find((name) => /ndcg/i.test(name)) ?? names[0];
  const value = (run, name) => run.metrics[name];
  return h("details", { open: true }, h("summary", {}, "Measured quality"),
    h("div", { class: "columns-chart" }, columns(runs.filter((run) => value(run, best) !== undefined).map((run) => ({ label: `run ${run.factor_run_id}`, value: value(run, best) })), { title: `${best} of each factor run`, format: score })),
    names.length > 1 ? table("Metrics of factor runs", [{ title: "Run" }, ...names.map((title) => ({ title, figure: true }))],
      runs.map((run) => [`run ${run.factor_run_id}`, ...names.map((name) => (value(run, name) === undefined ? "–" : value(run, name).toFixed(3)))])) : null);
}

async function activate(id) {
  const yes = await confirmed({ title: `Activate factor run ${id}?`, words: "From then on recommendations come from it. The one that is active now is kept, so that you can go back.", yes: "Activate" });
  if (!yes) return;
  try {
    await post(`/v1/factor_runs/${id}/activate`, {});
    say(`Recommendations come from factor run ${id} now.`);
    await Promise.all([drawRuns(), drawFigures(), drawCoverage()]);
  } catch (error) {
    sayError(error);
  }
}

// ---- jobs ----

const JOBS = { factors: "Computing factors", evaluate: "Evaluating" };
let running = new Set();

async function drawJobs() {
  const { jobs } = await get("/v1/jobs");
  const busy = jobs.filter((one) => one.state === "running");
  for (const id of ["compute", "evaluate"]) byId(id).disabled = busy.length > 0;
  const said = jobs.slice(0, 5).map(jobRow);
  byId("jobs").replaceChildren(...(said.length ? [h("ul", { class: "edits" }, said)] : []));
  const ended = [...running].some((id) => !busy.some((one) => one.job_id === id));
  running = new Set(busy.map((one) => one.job_id));
  if (ended) await Promise.all([drawRuns(), drawFigures(), drawCoverage()]);
  if (busy.length) setTimeout(() => drawJobs().catch(sayError), POLL);
}

function jobRow(job) {
  const words = JOBS[job.kind] ?? job.kind;
  if (job.state === "running") return h("li", {}, h("div", { class: "progress" }, h("span", {}, `${words} since ${moment(job.started_at)}…`), job.output ? h("span", { class: "soft small-words" }, job.output) : null, h("div", { class: "progress-track", "aria-hidden": "true" })));
  return h("li", {}, h("div", {}, h("span", { class: `mark ${job.state === "failed" ? "bad" : "good"}` }, job.state), ` ${words}, ${moment(job.started_at)}`,
    job.state === "failed" && job.output ? h("p", { class: "soft small-words" }, job.output) : null,
    job.result ? h("details", {}, h("summary", { class: "small-words" }, "Its result"), h("pre", { tabindex: "0", "aria-label": "Its result" }, JSON.stringify(job.result, null, 2))) : null));
}

for (const [id, kind] of [["compute", "factors"], ["evaluate", "evaluate"]]) {
  byId(id).addEventListener("click", async () => {
    byId(id).disabled = true;
    try {
      await post("/v1/jobs", { kind });
      await drawJobs();
    } catch (error) {
      byId(id).disabled = false;
      sayError(error);
    }
  });
}

// ---- index, ingests ----

const drawIndex = () => into(byId("index"), async () => {
  const rows = await view("index_checks", 200);
  if (!rows.length) return empty("Never checked", coded("Small collections are searched exactly and need no check: `tagdb index check`"));
  const sorted = rows.sort((a, b) => (a.checked_at < b.checked_at ? -1 : 1)).slice(-30);
  const last = sorted.at(-1);
  return [
    h("p", { class: "soft" }, `At the last check, ${day(last.checked_at)}, a search found ${share(last.recall)} of the true nearest photos in ${number(Math.round(last.milliseconds * 10) / 10)} ms.`),
    h("div", { class: "columns-chart" }, line(sorted.map((one) => ({ label: day(one.checked_at), value: one.recall })), { title: "Recall of the vector index at each check", format: score, floor: Math.min(0.9, Math.floor(Math.min(...sorted.map((one) => one.recall)) * 10) / 10), most: 1 })),
  ];
});

const mayRun = (one) => !one.finished_at && Date.now() - new Date(one.started_at) < LIVES;

async function drawIngests() {
  const rows = (await view("ingest_runs", 20)).sort((a, b) => b.ingest_run_id - a.ingest_run_id);
  const [newest] = rows;
  const live = newest && mayRun(newest) ? newest : null;
  byId("running").replaceChildren(...(live ? [h("div", { class: "card" }, h("div", { class: "progress" },
    h("strong", {}, `Ingest ${live.ingest_run_id} is running`),
    h("span", { class: "soft" }, `${count(live.images_new, "new photo")}, ${number(live.images_known)} known, ${number(live.images_updated)} changed, ${number(live.rejected)} rejected since ${moment(live.started_at)}. If nothing moves, it was interrupted: run it again.`),
    h("div", { class: "progress-track", "aria-hidden": "true" })))] : []));
  if (!rows.length) return empty("No ingest yet", coded("`tagdb ingest photos/`"));
  if (live) setTimeout(() => into(byId("ingests"), drawIngests), POLL);
  else if (byId("ingests").dataset.live) await Promise.all([drawFigures(), drawCoverage(), drawErrors()]);
  byId("ingests").dataset.live = live ? "yes" : "";
  const heads = [{ title: "Ingest" }, { title: "Of" }, { title: "Begun", short: true }, { title: "New", figure: true }, { title: "Known", figure: true }, { title: "Changed", figure: true }, { title: "Rejected", figure: true }, { title: "State", short: true }];
  return table("Ingests", heads, rows.map((one) => [
    String(one.ingest_run_id), [one.sources].flat().join(", "), moment(one.started_at), number(one.images_new), number(one.images_known), number(one.images_updated), number(one.rejected),
    one.finished_at ? "finished" : h("span", { class: "mark advice" }, one === live ? "running" : "interrupted")]));
}

const drawErrors = () => into(byId("errors"), async () => {
  const rows = (await view("ingest_errors", 50)).sort((a, b) => b.ingest_error_id - a.ingest_error_id);
  if (!rows.length) return empty("Nothing was rejected", "Photos and records that cannot be used are listed here, with the reason.");
  return table("Rejected records and photos", [{ title: "File" }, { title: "Line", figure: true }, { title: "Reason" }, { title: "Ingest", figure: true }],
    rows.map((one) => [one.origin, one.line ? number(one.line) : "–", one.reason, String(one.ingest_run_id)]));
});

drawFigures();
drawCoverage();
drawAcceptance();
drawRuns();
drawIndex();
into(byId("ingests"), drawIngests);
drawErrors();
if (session.writes) {
  byId("doctor-part").hidden = false;
  byId("job-buttons").hidden = false;
  byId("examine").addEventListener("click", examine);
  examine();
  drawJobs().catch((error) => byId("jobs").replaceChildren(note(error.message, "bad")));
}
