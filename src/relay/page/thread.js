// A thread as this page knows it: the snapshot of `thread/resume`, and what was told since.

const OUTPUT_SHOWN = 20_000;

export class Thread {
  constructor(snapshot) {
    this.id = snapshot.id;
    this.cwd = snapshot.cwd;
    this.name = snapshot.name;
    this.preview = snapshot.preview;
    this.items = new Map();
    this.turn = null;
    this.plan = [];
    this.usage = null;
    this.error = null;
    this.asked = new Map();
    for (const turn of snapshot.turns || []) {
      for (const item of turn.items || []) this.put(item, turn.id);
      if (turn.status === "inProgress") this.turn = turn.id;
      if (turn.status === "failed" && turn.error) this.error = turn.error.message;
    }
  }

  put(item, turn) {
    const before = this.items.get(item.id);
    this.items.set(item.id, { ...item, turn, version: before ? before.version + 1 : 0 });
  }

  grow(id, change) {
    const item = this.items.get(id);
    if (!item) return;
    change(item);
    this.items.set(id, { ...item, version: item.version + 1 });
  }

  // Its name, or else what it began with.
  title() {
    const first = [...this.items.values()].find((it) => it.type === "userMessage");
    const text = first && first.content.find((part) => part.type === "text");
    return this.name || this.preview || (text && text.text.split("\n")[0]) || "New thread";
  }

  // Which messages of the user have arrived, by the ids that this page has given them.
  has(clientId) {
    for (const item of this.items.values()) if (item.type === "userMessage" && item.clientId === clientId) return true;
    return false;
  }

  notify(method, params) {
    switch (method) {
      case "turn/started":
        this.turn = params.turn.id;
        this.error = null;
        this.plan = [];
        return;
      case "turn/completed":
        this.turn = null;
        if (params.turn.status === "failed" && params.turn.error) this.error = params.turn.error.message;
        if (params.turn.status === "interrupted") this.error = "Interrupted.";
        return;
      case "item/started":
      case "item/completed":
        return this.put(params.item, params.turnId);
      case "item/agentMessage/delta":
      case "item/plan/delta":
        return this.grow(params.itemId, (item) => { item.text = (item.text || "") + params.delta; });
      case "item/reasoning/summaryTextDelta":
        return this.grow(params.itemId, (item) => {
          item.summary = [...(item.summary || [])];
          item.summary[params.summaryIndex || 0] = (item.summary[params.summaryIndex || 0] || "") + params.delta;
        });
      case "item/reasoning/textDelta":
        return this.grow(params.itemId, (item) => {
          item.content = [...(item.content || [])];
          item.content[params.contentIndex || 0] = (item.content[params.contentIndex || 0] || "") + params.delta;
        });
      case "item/commandExecution/outputDelta":
        return this.grow(params.itemId, (item) => {
          item.aggregatedOutput = ((item.aggregatedOutput || "") + params.delta).slice(-OUTPUT_SHOWN);
        });
      case "turn/plan/updated": this.plan = params.plan; return;
      case "thread/tokenUsage/updated": this.usage = params.tokenUsage; return;
      case "thread/name/updated": this.name = params.threadName || params.name; return;
      case "serverRequest/resolved": {
        const question = this.asked.get(String(params.requestId));
        if (question && !question.answered) question.answered = "elsewhere";
        else this.asked.delete(String(params.requestId));
        return;
      }
      case "error":
        if (params.error && !params.willRetry) this.error = params.error.message;
    }
  }

  ask(id, method, params) { this.asked.set(String(id), { id, method, params, answered: null }); }
}
