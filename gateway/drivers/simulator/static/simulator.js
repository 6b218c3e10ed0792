"use strict";

const REFRESH = 1500;
const ACKS = { 1: "received", 2: "delivered", 3: "read", 4: "played" };
const cards = new Map();
const controls = document.getElementById("misbehaviour");
const people = document.getElementById("people");

async function post(path, body) {
  const answer = await fetch(`/simulator/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) document.getElementById("state").textContent = (await answer.json()).detail;
  return answer.ok;
}

function makeCard(phone) {
  const card = document.getElementById("phone").content.firstElementChild.cloneNode(true);
  card.querySelector("small").textContent = `+${phone.phone}`;
  card.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const input = event.target.elements.text;
    const name = card.querySelector("h2").textContent;
    if (await post("inbound", { phone: phone.phone, text: input.value, name })) input.value = "";
    refresh();
  });
  card.querySelector(".photo").addEventListener("click", async () => {
    const input = card.querySelector("input");
    const name = card.querySelector("h2").textContent;
    const line = { phone: phone.phone, text: input.value, name, media: {} };
    if (await post("inbound", line)) input.value = "";
    refresh();
  });
  document.getElementById("phones").append(card);
  cards.set(phone.phone, card);
  return card;
}

function makeBubble(line) {
  const bubble = document.createElement("li");
  const note = document.createElement("small");
  const time = new Date(`${line.at}Z`).toLocaleTimeString([], { timeStyle: "short" });
  // The phone is the customer's: what the customer wrote stands on the right.
  bubble.className = line.ack === null ? "mine" : "";
  bubble.textContent = line.media ? `[${line.media}] ${line.text}` : line.text;
  const told = line.ack === null ? line.read && "receipt given" : ACKS[line.ack];
  note.textContent = told ? `${time} · ${told}` : time;
  bubble.append(note);
  return bubble;
}

function drawPhone(phone) {
  const card = cards.get(phone.phone) ?? makeCard(phone);
  const drawn = JSON.stringify(phone);
  if (card.dataset.drawn === drawn) return;
  card.dataset.drawn = drawn;
  card.querySelector("h2").textContent = phone.name;
  const picture = card.querySelector("img");
  picture.onerror = () => picture.removeAttribute("src");
  picture.src = `/simulator/pictures/${phone.phone}.svg?v=${phone.picture}`;
  const list = card.querySelector("ol");
  list.replaceChildren(...phone.lines.map(makeBubble));
  list.scrollTop = list.scrollHeight;
}

function drawControls(state) {
  for (const [name, value] of Object.entries(state.misbehaviour)) {
    const input = controls.elements[name];
    if (!input || input === document.activeElement) continue;
    if (input.type === "checkbox") input.checked = value;
    else input.value = value;
  }
  people.checked = state.people.active;
}

async function refresh() {
  try {
    const state = await (await fetch("/simulator/state")).json();
    document.getElementById("state").textContent =
      `${state.connection} · ${state.received} messages received`;
    drawControls(state);
    state.phones.forEach(drawPhone);
  } catch {
    document.getElementById("state").textContent = "The gateway does not answer.";
  }
}

controls.addEventListener("submit", (event) => event.preventDefault());
controls.addEventListener("change", ({ target }) => {
  if (target === people) return post("people", { active: target.checked });
  const value = target.type === "checkbox" ? target.checked
    : target.type === "number" ? Number(target.value) : target.value;
  return post("misbehave", { [target.name]: value });
});

refresh();
setInterval(() => document.hidden || refresh(), REFRESH);
