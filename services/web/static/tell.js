// Tells an event as one sentence that names nobody: the same rules and words as services/web/telling.py.

const PREFIX = "org.gotongroyong.";
const PLACES = { request: "requests", contribution: "requests", offer: "offers", activity: "activities" };
const REMEMBERED = 200;
const documents = new Map();

export const nameOf = (event) => event.type.replace(PREFIX, "").replace(/\.[^.]*$/, "");

// The path of the API at which more is known about what an event concerns, or "".
export function subjectOf(event) {
  if (event.data.request_id) return `/api/requests/${event.data.request_id}`;
  const collection = PLACES[nameOf(event).split(".")[0]];
  return collection ? `/api/${collection}/${event.subject}` : "";
}

// The event types that have a sentence; a stream of events has to be asked for each by name.
export function typesIn(words) {
  const names = Object.keys(words).map((key) => key.match(/^event\.(\w+\.[\w-]+)/)?.[1]).filter(Boolean);
  return [...new Set(names)].map((name) => `${PREFIX}${name}.v1`);
}

export function say(words, key, values = {}) {
  const [one, many] = words[key].split("|");
  const text = many === undefined || values.n === 1 ? one : many;
  return text.replace(/\{(\w+)\}/g, (hole, name) => (name in values ? shown(words, values[name]) : hole));
}

const shown = (words, value) => (typeof value === "number" ? number(words, value) : value);

function number(words, value) {
  const marks = { ",": words["number.group"], ".": words["number.decimal"] };
  return value.toLocaleString("en").replace(/[,.]/g, (mark) => marks[mark]);
}

function amount(words, quantity, unit) {
  if (!unit || quantity === undefined) return words["event.something"];
  return `unit.${unit}` in words ? say(words, `unit.${unit}`, { n: quantity }) : `${number(words, quantity)} ${unit}`;
}

function keyOf(words, event) {
  const name = `event.${nameOf(event)}`;
  const keys = [`${name}.${event.data.kind}`, `${name}.${event.data.outcome}`, name];
  return keys.find((key) => key in words) ?? "event.other";
}

// What the page shows already need not be asked for.
function onPage(path) {
  const [, , collection, id] = path.split("/");
  const card = document.getElementById(`${collection === "offers" ? "o" : "r"}-${id}`);
  if (!card) return null;
  const needs = [...card.querySelectorAll("[data-need]")].map((each) => ({ id: each.dataset.need, unit: each.dataset.unit }));
  return { title: card.querySelector("h3").textContent, unit: card.dataset.unit, needs };
}

function asked(path) {
  if (!documents.has(path)) {
    const answer = fetch(path).then((response) => (response.ok ? response.json() : {})).catch(() => ({}));
    documents.set(path, answer);
    if (documents.size > REMEMBERED) documents.delete(documents.keys().next().value);
  }
  return documents.get(path);
}

// The sentence in three pieces, so that the title can be set off, whatever its direction.
export async function tell(words, event) {
  const data = event.data;
  const path = "title" in data ? "" : subjectOf(event);
  const about = path ? (onPage(path) ?? (await asked(path))) : {};
  const by = (data.by ?? data.author)?.kind ?? event.actorkind;
  const unit = data.unit ?? (about.needs ?? []).find((need) => need.id === data.need_id)?.unit ?? about.unit;
  const values = { who: words[`who.${by}`], type: event.type };
  values.amount = amount(words, data.quantity ?? data.budget, unit);
  values.missing = amount(words, data.missing, unit);
  const count = data.supporters ?? data.attended;
  if (count !== undefined) values.n = count;
  const [before, after] = say(words, keyOf(words, event), values).split("{title}");
  const title = after === undefined ? "" : data.title || about.title || words["event.something"];
  return { before, title, after: after ?? "", by };
}
