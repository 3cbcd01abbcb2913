// Brings the painted page to life. Without this script it works all the same, by links and forms.

import { cardOf, refresh } from "./cards.js";
import { lookForNew, setUpFilters } from "./filters.js";
import { Live } from "./live.js";
import { nameOf, say, subjectOf, tell, typesIn } from "./tell.js";
import { keepTimes, moment } from "./times.js";

const SHOWN = 20;
const QUIET_MS = 15000;
const GATHER_MS = 400;
const REST_MS = 3000;

const words = await (await fetch(document.body.dataset.words)).json();
const log = document.getElementById("log");
const queue = [];
let telling = false;
let gathering = false;
let gathered = 0;
let news = 0;
let newest = "";

function happened(event) {
  queue.push(event);
  // Of a flood only the last ones would be seen.
  if (queue.length > SHOWN) queue.shift();
  if (!telling) tellAll();
  touch(event);
}

async function tellAll() {
  telling = true;
  while (queue.length) {
    const event = queue.shift();
    write(event, await tell(words, event));
  }
  telling = false;
}

function write(event, sentence) {
  const item = document.getElementById("event").content.firstElementChild.cloneNode(true);
  const [before, title, after] = item.querySelector("p").children;
  item.firstElementChild.classList.add(sentence.by);
  before.textContent = sentence.before;
  title.textContent = sentence.title;
  after.textContent = sentence.after;
  const time = item.querySelector("time");
  time.dateTime = event.time;
  time.textContent = moment(event.time, words);
  item.classList.add("fresh");
  item.dataset.visit = event.correlationid.slice(-12);
  item.classList.toggle("same", log.firstElementChild?.dataset.visit === item.dataset.visit);
  log.prepend(item);
  while (log.children.length > SHOWN) log.lastElementChild.remove();
  log.lastElementChild.classList.remove("same");
  document.getElementById("quiet").hidden = true;
  news += 1;
}

// What an event concerns is painted anew where it is on the page; new requests and offers join it.
function touch(event) {
  const [, , collection, id] = subjectOf(event).split("/");
  if (collection && cardOf(collection, id)) refresh(collection, id);
  if (event.type.includes(".sponsorship.") && cardOf("offers", event.subject)) refresh("offers", event.subject);
  if (/^offer\.(published|resumed)$/.test(nameOf(event))) refresh("offers", event.subject);
  if (nameOf(event) === "request.opened") gather();
}

function gather() {
  if (gathering) return;
  gathering = true;
  const rested = gathered + REST_MS - Date.now();
  setTimeout(async () => {
    gathering = false;
    gathered = Date.now();
    const cards = await lookForNew().catch(() => []);
    if (cards.length) newest = cards[0].querySelector("h3").textContent;
  }, Math.max(rested, GATHER_MS) + Math.random() * GATHER_MS);
}

function speak(text) {
  document.getElementById("said").textContent = text;
}

// Somebody who listens to the page hears of news now and then, not of every event.
function speakOfNews() {
  if (newest) speak(say(words, "needed.new", { title: newest }));
  else if (news) speak(say(words, "events.new", { n: news }));
  newest = "";
  news = 0;
}

function show(state) {
  const shown = document.getElementById("state");
  shown.className = `state ${state}`;
  shown.textContent = words[`events.state.${state}`];
}

function anew() {
  queue.length = 0;
  log.replaceChildren();
  gather();
}

keepTimes(words);
setUpFilters(words, (key, n) => speak(say(words, key, { n })));
setInterval(speakOfNews, QUIET_MS);
const live = new Live(typesIn(words), { happened, state: show, anew });
document.getElementById("pause").addEventListener("click", ({ currentTarget: button }) => {
  live.paused = !live.paused;
  button.textContent = words[live.paused ? "events.resume" : "events.pause"];
});
