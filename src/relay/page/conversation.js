// A thread as a conversation.

import { Ended } from "./ended.js";
import { html, standing, useEffect, useLayoutEffect, useMemo, useRef, useState, Top, Dot } from "./ui.js";
import { Diff } from "./diff.js";
import { Question } from "./question.js";
import { folder } from "./threads.js";
import { usePictures } from "./images.js";

const NEAR_THE_END = 80;

export function Conversation({ app, thread: id }) {
  const end = useRef(null);
  const atEnd = useRef(true);
  const thread = app.thread && app.thread.id === id ? app.thread : null;
  const [kind, words] = standing(app.wire);
  useEffect(() => {
    const scrolled = () => {
      atEnd.current = window.innerHeight + window.scrollY >= document.body.scrollHeight - NEAR_THE_END;
    };
    window.addEventListener("scroll", scrolled, { passive: true });
    return () => window.removeEventListener("scroll", scrolled);
  }, []);
  // New text is followed as long as nobody has scrolled up.
  useLayoutEffect(() => { if (atEnd.current && end.current) end.current.scrollIntoView({ block: "end" }); });
  const environment = app.wire ? app.wire.environment : "";
  const title = thread ? thread.title() : "Thread";
  const unsent = app.unsent().filter((it) => it.threadId === id && !(thread && thread.has(it.clientId)));
  return html`<${Top} back=${`/m/${environment}`} title=${title}
      note=${html`<${Dot} kind=${kind} />${words}${thread && html` · ${folder(thread.cwd)}`}`} />
  <main class="conversation" aria-busy=${!thread}>
    ${!thread && !app.threadError && html`<p class="quiet pad">${kind === "bad" ? "Shown when the machine is back." : "Loading…"}</p>`}
    ${thread && [...thread.items.values()].map((item) => html`<${Item} key=${item.id} item=${item} version=${item.version} />`)}
    ${thread && thread.plan.length > 0 && html`<${Plan} plan=${thread.plan} />`}
    ${unsent.map((it) => html`<div class="message user pending" key=${it.clientId}>${it.text}
      ${(it.images || []).map((url) => html`<img key=${url} src=${url} alt="Picture" />`)}
      <small>waiting to be sent${app.unkept && html`. ${app.unkept}`}</small></div>`)}
    <div role="region" aria-label="Questions" aria-live="assertive">
      ${thread && [...thread.asked.values()].map((it) => html`<${Question} key=${it.id} app=${app} thread=${thread} question=${it} />`)}
    </div>
    ${thread && thread.turn && html`<p class="quiet working" role="status"><${Dot} kind="busy" /> working…</p>`}
    ${(app.threadError || (thread && thread.error)) && html`<p class="error" role="alert">${app.threadError || thread.error}</p>`}
    ${thread && thread.usage && html`<p class="quiet usage">${thread.usage.total.totalTokens.toLocaleString()} tokens</p>`}
    <${Ended} wire=${app.wire} />
    <div ref=${end} class="end"></div>
  </main>
  <${Composer} app=${app} thread=${thread} />`;
}

function Composer({ app, thread }) {
  const [text, setText] = useState("");
  const box = useRef(null);
  const pictures = usePictures();
  const empty = !text.trim() && pictures.images.length === 0;
  const send = (event) => {
    event.preventDefault();
    if (empty) return;
    app.say(text, pictures.images);
    setText("");
    pictures.clear();
    box.current.focus();
  };
  // Enter sends where there is a keyboard; on a phone it makes a line.
  const key = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey || (!event.shiftKey && matchMedia("(pointer: fine)").matches))) send(event);
  };
  return html`<form class="composer" onSubmit=${send}>
    ${pictures.shown}
    ${pictures.button}
    <textarea ref=${box} value=${text} rows="1" onInput=${(event) => setText(event.target.value)} onKeyDown=${key}
      placeholder=${thread && thread.turn ? "Add to this turn" : "Message"} aria-label="Message" disabled=${!thread}></textarea>
    ${thread && thread.turn && html`<button type="button" class="danger" onClick=${() => app.interrupt()} aria-label="Interrupt">■</button>`}
    <button class="primary" disabled=${!thread || empty} aria-label="Send">↑</button>
  </form>`;
}

// Drawn again only when its version has changed.
function Item({ item, version }) {
  return useMemo(() => draw(item), [item.id, version]);
}

function draw(item) {
  switch (item.type) {
    case "userMessage":
      return html`<div class="message user">${item.content.map((part) =>
        part.type === "text" ? part.text : part.type === "image" && part.url ? html`<img src=${part.url} alt="Picture" />` : `[${part.type}]`)}</div>`;
    case "agentMessage": return html`<div class="message agent"><${Text} text=${item.text} /></div>`;
    case "plan": return html`<div class="message agent plan"><${Text} text=${item.text} /></div>`;
    case "reasoning": {
      const text = [...(item.summary || []), ...(item.content || [])].filter(Boolean).join("\n\n");
      return text && html`<details class="reasoning"><summary>Reasoning</summary><p>${text}</p></details>`;
    }
    case "commandExecution": return html`<${Command} item=${item} />`;
    case "fileChange":
      return html`<section class="card tool"><h2>${item.status === "declined" ? "Changes declined" : "Changes"}</h2>
        ${item.changes.map((it) => html`<${Diff} key=${it.path} change=${it} />`)}</section>`;
    case "mcpToolCall":
      return html`<section class="card tool"><h2>${item.server} · ${item.tool}</h2><span class="quiet">${item.status}</span></section>`;
    case "webSearch": return html`<p class="quiet pad">Searched: ${item.query}</p>`;
    case "contextCompaction": return html`<p class="quiet pad">The conversation was summarised.</p>`;
    default: return html`<p class="quiet pad">${item.type}</p>`;
  }
}

function Command({ item }) {
  const running = item.status === "inProgress";
  const failed = item.status === "failed" || (item.exitCode || 0) !== 0;
  const state = running ? "running" : item.status === "declined" ? "declined" : failed ? `failed${item.exitCode ? ` (${item.exitCode})` : ""}` : "done";
  return html`<section class="card tool">
    <pre class="command"><code>${item.command}</code></pre>
    ${item.aggregatedOutput && html`<details open=${running}><summary>Output</summary><pre>${item.aggregatedOutput}</pre></details>`}
    <span class=${"quiet state " + state.split(" ")[0]}>${state}</span>
  </section>`;
}

function Plan({ plan }) {
  const mark = { completed: "✓", inProgress: "▸", pending: "○" };
  return html`<section class="card tool"><h2>Plan</h2><ul class="steps">${plan.map((it, at) =>
    html`<li key=${at} class=${it.status}>${mark[it.status] || "○"} ${it.step}</li>`)}</ul></section>`;
}

// Paragraphs and code; nothing of it is ever read as HTML.
function Text({ text }) {
  return (text || "").split(/```[^\n]*\n?/).map((part, at) => at % 2 ? html`<pre key=${at}>${part}</pre>`
    : html`<span key=${at}>${part.split("`").map((piece, of) => of % 2 ? html`<code key=${of}>${piece}</code>` : piece)}</span>`);
}
