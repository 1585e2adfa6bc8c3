'use strict';

// Asks the server for its state every two seconds while somebody looks, and shows it. All text is set as text, never as
// HTML: names come from clients.

const EVERY_MS = 2000;
const KEY = 'codex-app-server-admin-token';

const $ = id => document.getElementById(id);
let before = null;
let charts = null;
let asking = false;

function element(name, text, className) {
  const it = document.createElement(name);
  if (text != null) it.textContent = text;
  if (className) it.className = className;
  return it;
}

function bytes(value) {
  if (value == null) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

function number(value) {
  if (value == null) return '–';
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)} k`;
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 0);
}

function milliseconds(value) {
  return value == null ? '–' : `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
}

function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${(seconds / 3600).toFixed(1)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

function headers(more) {
  const token = sessionStorage.getItem(KEY);
  return token ? { ...more, authorization: `Bearer ${token}` } : more;
}

async function change(path, body) {
  const answer = await fetch(path, {
    method: 'POST',
    headers: headers({ 'content-type': 'application/json' }),
    body: JSON.stringify(body),
  });
  if (!answer.ok && answer.status !== 409) badge('bad', `refused: ${await answer.text()}`);
  look();
}

function button(label, question, path, body) {
  const it = element('button', label, 'danger');
  it.addEventListener('click', () => {
    $('confirm-text').textContent = question;
    $('confirm-yes').textContent = label;
    $('confirm-yes').onclick = () => { $('confirm').close(); change(path, body); };
    $('confirm').showModal();
  });
  return it;
}

function badge(kind, text) {
  $('health').className = `badge ${kind}`;
  $('health').textContent = text;
}

function tiles(state, rates) {
  const { gauges, totals } = state;
  const clients = gauges.connections?.reduce((sum, [, open]) => sum + open, 0);
  const kinds = gauges.connections?.map(([kind, open]) => `${open} ${kind.replace('_', ' ')}`).join(', ');
  const figures = [
    ['Connections', number(clients), kinds],
    ['Requests/s', rates ? number(rates.requests) : '–', `${number(totals.errors)} errors of ${number(totals.requests)}`],
    ['Turns running', number(gauges.turns), `${number(totals.turns)} ended`],
    ['Approvals waiting', number(gauges.approvals), gauges.inputs ? `${gauges.inputs} questions` : 'of a person', gauges.approvals ? 'warn' : ''],
    ['Commands', number(gauges.commands), 'running'],
    ['Model calls', number(totals.modelCalls), `${number(totals.modelFailures)} failed`, totals.modelFailures ? 'warn' : ''],
    ['Tokens', number(totals.tokensIn + totals.tokensOut), `${number(totals.tokensIn)} in, ${number(totals.tokensOut)} out`],
    ['Refused or cut', number(totals.refusals + totals.cuts), `${number(totals.refusals)} busy, ${number(totals.cuts)} slow`, totals.refusals + totals.cuts ? 'warn' : ''],
  ];
  $('tiles').replaceChildren(...figures.map(([name, value, more, kind]) => {
    const tile = element('div', null, 'tile');
    tile.append(element('small', name), element('b', value, kind), element('small', more ?? ''));
    return tile;
  }));
}

function rows(id, list, empty, row) {
  const target = $(id);
  // A list that is being read or pressed is not rebuilt under the hand.
  if (target.contains(document.activeElement) && $('confirm').open) return;
  const children = list.map(item => {
    const it = element('div', null, 'row');
    it.append(...row(item));
    return it;
  });
  target.replaceChildren(...(children.length ? children : [element('div', empty, 'empty')]));
}

function connections(state) {
  $('connections-count').textContent = state.connections.length;
  rows('connections', state.connections, 'Nobody is connected.', it => [
    element('span', it.client ?? 'not initialized', it.client ? '' : 'quiet'),
    element('span', it.peer),
    element('small', [
      it.transport,
      `for ${duration(it.connectedSeconds)}`,
      it.threads ? `${it.threads} ${it.threads === 1 ? 'thread' : 'threads'}` : null,
      it.queuedBytes ? `${bytes(it.queuedBytes)} unread` : null,
    ].filter(Boolean).join(' · ')),
    state.mayChange && !it.client?.startsWith('codex-app-server-admin')
      ? button('Cut', `Cut the connection of ${it.client ?? 'this client'}? It may connect again.`, '/api/cut', { connection: it.id })
      : element('span'),
  ]);
}

const STATUS = {
  idle: ['idle', 'quiet'],
  running: ['running', 'good'],
  approval: ['waits for an approval', 'warn'],
  input: ['waits for an answer', 'warn'],
  failed: ['failed', 'bad'],
};

function threads(state) {
  $('threads-count').textContent = state.gauges.threads ?? '';
  rows('threads', state.threads, 'No thread is loaded.', it => {
    const [text, kind] = STATUS[it.status] ?? [it.status, ''];
    const runs = !['idle', 'failed'].includes(it.status);
    return [
      element('span', it.name || 'without a name', it.name ? '' : 'quiet'),
      element('span', text, kind),
      element('small', `${it.cwd} · ${duration(Math.max(0, state.nowMs / 1000 - it.updatedAt))} ago`),
      state.mayChange && runs
        ? button('Interrupt', `Interrupt the turn of “${it.name || it.id}”?`, '/api/interrupt', { threadId: it.id })
        : element('span'),
    ];
  });
}

function remote(state) {
  const it = state.remote;
  const kind = { connected: 'good', errored: 'bad', connecting: 'warn' }[it?.status] ?? 'quiet';
  const status = element('span', it?.status ?? 'unknown', kind);
  $('remote').replaceChildren(status, it?.lastError ? `: ${it.lastError}` : it?.status === 'disabled' ? '' : ` as ${it?.serverName ?? ''}`);
  $('phones').hidden = !it || it.status === 'disabled';
  rows('phones', it?.phones ?? [], 'No phone is known.', phone => [
    element('span', phone.name),
    element('span', phone.kind, 'quiet'),
    element('small', phone.lastSeenAt ? `seen ${duration(Math.max(0, state.nowMs / 1000 - phone.lastSeenAt))} ago` : ''),
    state.mayChange
      ? button('Revoke', `Revoke ${phone.name}? It must be paired again to come back.`, '/api/revoke', { clientId: phone.id })
      : element('span'),
  ]);
}

function storage(state) {
  const it = state.gauges;
  const healthy = it.databaseHealthy;
  const facts = [
    ['Saving', healthy == null ? '–' : healthy ? 'works' : 'fails', healthy ? 'good' : 'bad'],
    ['Database', bytes(it.databaseBytes)],
    ['Write-ahead log', bytes(it.walBytes)],
    ['Free on the disk', bytes(it.freeBytes), it.freeBytes != null && it.freeBytes < 1 << 30 ? 'warn' : ''],
    ['Commits', number(state.totals.commits)],
    ['Memory', bytes(it.residentBytes)],
    ['Open files', `${number(it.openFiles)} of ${number(it.mostOpenFiles)}`],
    ['Requests waiting', `${it.waiting} of ${it.waitingBound}`],
    ['Not let in', number(state.totals.denials)],
    ['Panics', number(state.totals.panics), state.totals.panics ? 'bad' : ''],
  ];
  $('storage').replaceChildren(...facts.flatMap(([name, value, kind]) => [element('dt', name), element('dd', value, kind)]));
}

function log(state) {
  const target = $('log');
  const text = state.log.join('\n') || 'Nothing was logged. Start the server with RUST_LOG=info to see more.';
  if (target.textContent === text) return;
  const follows = target.scrollTop + target.clientHeight >= target.scrollHeight - 8;
  target.textContent = text;
  if (follows) target.scrollTop = target.scrollHeight;
}

function show(state) {
  $('sign-in').hidden = true;
  $('main').hidden = false;
  charts ??= {
    requests: new Chart('chart-requests', [{ label: 'requests', colour: '--accent' }, { label: 'errors', colour: '--bad' }], number),
    turns: new Chart('chart-turns', [{ label: 'turns', colour: '--good' }, { label: 'approvals', colour: '--second' }], number),
    pending: new Chart('chart-pending', [{ label: 'unread', colour: '--accent', least: 1024 }], bytes),
    actors: new Chart('chart-actors', [{ label: 'router', colour: '--accent' }, { label: 'database', colour: '--second' }], milliseconds),
  };
  const seconds = before ? (state.nowMs - before.nowMs) / 1000 : 0;
  const rate = name => Math.max(0, (state.totals[name] - before.totals[name]) / seconds);
  const rates = seconds > 0 && before.startedMs === state.startedMs ? { requests: rate('requests'), errors: rate('errors') } : null;
  before = state;
  const { gauges } = state;
  const at = state.nowMs / 1000;
  charts.requests.add(at, [rates?.requests ?? null, rates?.errors ?? null]);
  charts.turns.add(at, [gauges.turns, gauges.approvals]);
  charts.pending.add(at, [gauges.pendingBytes]);
  charts.actors.add(at, [gauges.routerMs, gauges.databaseMs]);
  if (state.silent.length) badge('bad', `no answer from ${state.silent.join(', ')}`);
  else if (!state.ready) badge('warn', 'draining');
  else badge('good', 'ready');
  const up = duration((state.nowMs - state.startedMs) / 1000);
  $('about').textContent = `${state.version[0]} · speaks ${state.version[1]} · up ${up}${state.mayChange ? '' : ' · read-only'}`;
  tiles(state, rates);
  connections(state);
  threads(state);
  remote(state);
  storage(state);
  log(state);
}

async function look() {
  if (asking || document.hidden || !$('sign-in').hidden) return;
  asking = true;
  try {
    const answer = await fetch('/api/state', { headers: headers({}), cache: 'no-store' });
    if (answer.ok) show(await answer.json());
    else if ([401, 403, 429].includes(answer.status)) refused(await answer.text());
    else badge('bad', `the server answered ${answer.status}`);
  } catch {
    badge('bad', 'the server does not answer');
  } finally {
    asking = false;
  }
}

function refused(why) {
  badge('warn', 'a token is needed');
  $('main').hidden = true;
  $('sign-in').hidden = false;
  $('sign-in-error').textContent = sessionStorage.getItem(KEY) ? why : '';
  sessionStorage.removeItem(KEY);
}

$('sign-in').addEventListener('submit', event => {
  event.preventDefault();
  sessionStorage.setItem(KEY, $('token').value.trim());
  $('sign-in').hidden = true;
  $('token').value = '';
  look();
});
$('confirm-no').addEventListener('click', () => $('confirm').close());
document.addEventListener('visibilitychange', look);

// Whoever comes without a token where one is needed is no failure worth counting.
async function begin() {
  const { asksForToken } = await (await fetch('/api/door')).json();
  if (asksForToken && !sessionStorage.getItem(KEY)) refused('');
  setInterval(look, EVERY_MS);
  look();
}
begin().catch(() => badge('bad', 'the server does not answer'));
