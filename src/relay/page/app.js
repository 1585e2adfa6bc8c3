// The page: which view is shown, and the one wire to the machine that is looked at.

import { html, render, useEffect, useReducer, api, go } from "./ui.js";
import { Wire } from "./wire.js";
import { Thread } from "./thread.js";
import { Pair, Machines } from "./machines.js";
import { Threads } from "./threads.js";
import { Conversation } from "./conversation.js";
import { Devices } from "./devices.js";
import { input } from "./images.js";
import * as notice from "./notice.js";
import { register } from "./update.js";

const UNSENT = "unsent";

export class App {
  constructor() {
    this.machines = null;
    this.page = "";
    this.error = "";
    this.wire = null;
    this.threads = null;
    this.thread = null;
    this.threadError = "";
    this.changed = () => {};
    this.unkept = "";
    this.messages = kept();
  }

  update() {
    this.showQuestions();
    if (this.drawing) return;
    this.drawing = true;
    // At most once for each picture of the screen, however fast the deltas come.
    setTimeout(() => { this.drawing = false; this.changed(); }, 16);
  }

  async loadMachines() {
    try {
      const { machines, page, push } = await api("GET", "/api/device");
      Object.assign(this, { machines, page, push, error: "" });
    } catch (error) {
      if (error.status === 401) this.machines = [];
      else this.error = "The relay cannot be reached.";
    }
    this.update();
  }

  machine(environment) { return (this.machines || []).find((it) => it.environmentId === environment); }

  // Looks at a machine; the wire to another one ends.
  look(environment) {
    if (this.wire && this.wire.environment === environment && (!this.wire.state.ended || this.wire.state.ended === "broken")) return;
    if (this.wire) this.wire.end();
    Object.assign(this, { threads: null, thread: null, threadId: null, begun: null });
    this.wire = environment ? new Wire(environment, {
      state: () => this.update(),
      ready: () => this.begin(),
      refused: () => this.loadMachines(),
      notification: (method, params) => this.notified(method, params),
      request: (id, method, params) => this.asked(id, method, params),
    }) : null;
  }

  // A new stream: everything that is shown is asked for again.
  begin() {
    this.loadThreads();
    if (this.threadId) this.open(this.threadId);
  }

  async loadThreads(searchTerm) {
    try {
      const { data } = await this.wire.request("thread/list", { limit: 50, searchTerm: searchTerm || null });
      this.threads = data;
    } catch (error) { if (error.message !== "lost") this.threadError = error.message; }
    this.update();
  }

  async open(id) {
    if (this.threadId !== id) this.thread = null;
    this.threadId = id;
    this.threadError = "";
    if (!this.wire || !this.wire.ready) return;
    if (this.begun && this.begun.id === id) {
      // Whoever begins a thread follows it already; and one in which nothing was said yet cannot be resumed everywhere.
      this.thread = new Thread(this.begun);
      this.begun = null;
      return this.update();
    }
    const asked = this.thread && this.thread.id === id ? this.thread.asked : new Map();
    this.questions = [];
    try {
      // One step: the snapshot, and everything after it is told.
      const { thread } = await this.wire.request("thread/resume", { threadId: id });
      if (this.threadId !== id) return;
      this.thread = new Thread(thread);
      for (const [key, question] of asked) if (question.answered) this.thread.asked.set(key, question);
      for (const [askedId, method, params] of this.questions) this.thread.ask(askedId, method, params);
      this.sendUnsent();
    } catch (error) { if (error.message !== "lost") this.threadError = error.message; }
    this.update();
  }

  notified(method, params) {
    const id = params && (params.threadId || (params.thread && params.thread.id));
    if (this.thread && id === this.thread.id) {
      this.thread.notify(method, params);
      if (method === "item/completed" && params.item.type === "userMessage") this.arrived(params.item.clientId);
      if (method === "turn/completed") this.signal("The turn has ended.");
    }
    if (["thread/started", "thread/name/updated", "thread/archived", "thread/closed"].includes(method)) {
      clearTimeout(this.reloading);
      this.reloading = setTimeout(() => this.loadThreads(), 500);
    }
    if (method === "thread/status/changed" && this.threads) {
      this.threads = this.threads.map((it) => it.id === id ? { ...it, status: params.status } : it);
    }
    this.update();
  }

  asked(id, method, params) {
    if (this.thread && params.threadId === this.thread.id) this.thread.ask(id, method, params);
    else if (params.threadId === this.threadId) this.questions.push([id, method, params]);
    this.signal("The agent asks for your approval.");
    notice.ask();
    this.update();
  }

  // How many questions wait for an answer of this person.
  showQuestions() {
    const asked = this.thread ? [...this.thread.asked.values()].filter((it) => !it.answered).length : 0;
    if (asked === this.shownQuestions) return;
    this.shownQuestions = asked;
    notice.show(asked);
  }

  answer(question, result) {
    this.wire.answer(question.id, result);
    question.answered = "here";
    this.update();
  }

  // A mark in the title while nobody looks.
  signal(what) {
    if (document.visibilityState !== "visible") document.title = `● ${what}`;
  }

  // What a person has said is kept until the thread shows it, under an id by which it is recognised: so it is sent once,
  // whatever happens to the connection or to this tab.
  unsent() { return this.messages; }

  keepUnsent(list) {
    this.messages = list;
    this.unkept = "";
    try { sessionStorage.setItem(UNSENT, JSON.stringify(list)); } catch {
      // Pictures may take more room than a browser gives. The message is not lost while this tab is open.
      this.unkept = "Kept only while this tab is open, because the browser has no more room for it.";
    }
  }

  say(text, images) {
    const clientId = crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random().toString(36).slice(2)}`;
    const message = { threadId: this.threadId, clientId, text, images };
    this.keepUnsent([...this.unsent(), message]);
    this.deliver(message);
    this.update();
  }

  arrived(clientId) { this.keepUnsent(this.unsent().filter((it) => it.clientId !== clientId)); }

  sendUnsent() {
    for (const message of this.unsent().filter((it) => it.threadId === this.threadId)) {
      if (this.thread.has(message.clientId)) this.arrived(message.clientId);
      else this.deliver(message);
    }
  }

  async deliver({ threadId, clientId, text, images }) {
    try {
      // It joins the turn that runs, or begins one.
      await this.wire.request("turn/start", { threadId, input: input(text, images), clientUserMessageId: clientId });
      this.arrived(clientId);
    } catch (error) {
      if (["lost", "ended"].includes(error.message)) return;
      this.arrived(clientId);
      this.threadError = `Not sent: ${error.message}`;
    }
    this.update();
  }

  interrupt() {
    if (this.thread && this.thread.turn) {
      this.wire.request("turn/interrupt", { threadId: this.thread.id, turnId: this.thread.turn }).catch(() => {});
    }
  }

  async newThread(cwd) {
    const { thread } = await this.wire.request("thread/start", cwd ? { cwd } : {});
    this.begun = thread;
    go(`/m/${this.wire.environment}/t/${thread.id}`);
  }
}

const isNew = (() => { try { return localStorage.length === 0; } catch { return false; } })();

function View({ app }) {
  const [, changed] = useReducer((count) => count + 1, 0);
  useEffect(() => {
    app.changed = changed;
    const moved = () => { notice.show(app.shownQuestions || 0); follow(app); changed(); };
    window.addEventListener("hashchange", moved);
    document.addEventListener("visibilitychange", () => notice.show(app.shownQuestions || 0));
    app.loadMachines();
    follow(app);
    return () => window.removeEventListener("hashchange", moved);
  }, []);
  const [, first, environment, second, thread] = location.hash.slice(1).split("/");
  // Who was never here pairs first, and need not wait for the relay to say so.
  if (app.machines === null && !app.error && !first && isNew) return html`<${Pair} app=${app} />`;
  if (app.machines === null && !app.error) return html`<main class="center"><p class="quiet">Loading…</p></main>`;
  if (first === "pair" || !first && app.machines && app.machines.length === 0) return html`<${Pair} app=${app} />`;
  if (first === "m" && second === "t") return html`<${Conversation} app=${app} thread=${thread} key=${thread} />`;
  if (first === "m" && second === "devices") return html`<${Devices} app=${app} environment=${environment} />`;
  if (first === "m") return html`<${Threads} app=${app} environment=${environment} />`;
  if (first && !location.hash.startsWith("#/")) return html`<${Pair} app=${app} />`;
  return html`<${Machines} app=${app} />`;
}

function follow(app) {
  const [, first, environment, second, thread] = location.hash.slice(1).split("/");
  if (first !== "m") return app.look(null);
  app.look(environment);
  if (second === "t") app.open(thread);
  else app.threadId = null;
}

function kept() { try { return JSON.parse(sessionStorage.getItem(UNSENT)) || []; } catch { return []; } }

// A scanned link holds the code behind the `#`, where no server sees it.
const scanned = location.hash.slice(1);
if (scanned && !scanned.startsWith("/")) {
  history.replaceState(null, "", "/#/pair");
  window.scanned = scanned;
}

register();
render(html`<${View} app=${new App()} />`, document.getElementById("app"));
