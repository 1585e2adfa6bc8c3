// What the agent asks a person: cards with exactly what would be done.

import { html, useState } from "./ui.js";
import { Diff } from "./diff.js";

const UNCONFINED = "it would run outside of the sandbox";

export function Question({ app, thread, question }) {
  const { method, params, answered } = question;
  const decide = (decision) => app.answer(question, { decision });
  if (answered) {
    const words = answered === "elsewhere" ? "Answered elsewhere" : "Answered";
    return html`<p class="quiet pad answered" role="status">${words}: ${short(question)}</p>`;
  }
  switch (method) {
    case "item/commandExecution/requestApproval": {
      const unconfined = (params.reason || "").startsWith(UNCONFINED);
      return html`<${Card} title=${params.kind === "writeStdin" ? "Type this into a running command?" : "Run this command?"} danger=${unconfined}>
        <pre class="command exact"><code>${params.command}</code></pre>
        <${Facts} facts=${[["in", params.cwd], ["why", params.reason], ["also", permissions(params.additionalPermissions)]]} />
        <${Decisions} decide=${decide} session=${allows(params, "acceptForSession")} />
      <//>`;
    }
    case "item/fileChange/requestApproval": {
      const item = thread.items.get(params.itemId);
      return html`<${Card} title="Make these changes?">
        ${item ? item.changes.map((it) => html`<${Diff} key=${it.path} change=${it} />`) : html`<p class="error">The changes are not known here; look at the machine.</p>`}
        <${Facts} facts=${[["why", params.reason], ["also below", params.grantRoot]]} />
        <${Decisions} decide=${decide} session=${true} disabled=${!item} />
      <//>`;
    }
    case "item/permissions/requestApproval":
      return html`<${Card} title="Give these permissions?" danger=${true}>
        <${Facts} facts=${[["what", permissions(params.permissions)], ["in", params.cwd], ["why", params.reason]]} />
        <div class="buttons">
          <button class="danger" onClick=${() => app.answer(question, { permissions: {}, scope: "turn" })}>Decline</button>
          <button class="primary" onClick=${() => app.answer(question, { permissions: params.permissions, scope: "turn" })}>Give for this turn</button>
        </div>
      <//>`;
    case "item/tool/requestUserInput": return html`<${Input} app=${app} question=${question} />`;
    default:
      return html`<${Card} title="A question for the machine"><p>Answer it at the machine: <code>${method}</code></p><//>`;
  }
}

function Card({ title, danger, children }) {
  return html`<section class=${"card question" + (danger ? " unconfined" : "")} role="alertdialog" aria-label=${title}><h2>${title}</h2>${children}</section>`;
}

function Facts({ facts }) {
  return html`<dl>${facts.filter(([, value]) => value).map(([name, value]) => html`<dt key=${name}>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function Decisions({ decide, session, disabled }) {
  return html`<div class="buttons">
    <button class="danger" onClick=${() => decide("decline")}>Decline</button>
    ${session && html`<button onClick=${() => decide("acceptForSession")} disabled=${disabled}>For session</button>`}
    <button class="primary" onClick=${() => decide("accept")} disabled=${disabled}>Accept</button>
  </div>`;
}

function Input({ app, question }) {
  const [answers, setAnswers] = useState({});
  const questions = question.params.questions || [];
  const set = (id, text) => setAnswers({ ...answers, [id]: text });
  const send = () => {
    const all = questions.map((it) => [it.id, { answers: [answers[it.id] || ""] }]);
    app.answer(question, { answers: Object.fromEntries(all) });
  };
  return html`<${Card} title="The agent asks">
    ${questions.map((it) => html`<fieldset key=${it.id}><legend>${it.question}</legend>
      ${(it.options || []).map((option) => html`<label class="option" key=${option.label}>
        <input type="radio" name=${it.id} onChange=${() => set(it.id, option.label)} />
        <span>${option.label}<small>${option.description}</small></span></label>`)}
      <input type=${it.isSecret ? "password" : "text"} placeholder="Another answer" aria-label="Another answer" onInput=${(event) => set(it.id, event.target.value)} />
    </fieldset>`)}
    <div class="buttons"><button class="primary" onClick=${send}>Answer</button></div>
  <//>`;
}

function allows(params, decision) {
  return !params.availableDecisions || params.availableDecisions.includes(decision);
}

function permissions(profile) { return profile ? JSON.stringify(profile, null, 1) : null; }

function short({ method, params }) {
  if (params.command) return params.command;
  return method === "item/fileChange/requestApproval" ? "changes of files" : "a question";
}
