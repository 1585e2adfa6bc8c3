//! Answers to requests of clients: how many by transport, method and code, and how long they took by method.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::Metrics;
use super::durations::{self, Durations};
use crate::protocol::{ErrorCode, METHODS, Method};

/// The label of every method that is not in the table.
pub const UNKNOWN: &str = "_unknown";

/// The transport label of requests, as the reference program divides them: Unix sockets and TCP are both `websocket`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Standard input and output.
    Stdio,
    /// A WebSocket over a Unix socket or TCP.
    Websocket,
    /// A program that embeds this server.
    InProcess,
    /// A remote controller.
    RemoteControl,
}

impl Transport {
    const ALL: [Self; 4] = [Self::Stdio, Self::Websocket, Self::InProcess, Self::RemoteControl];

    /// As labels name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::Websocket => "websocket",
            Self::InProcess => "in_process",
            Self::RemoteControl => "remote_control",
        }
    }
}

/// How a request was answered: `ok`, or the number of the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// With a result.
    Ok,
    /// With an error.
    Error(ErrorCode),
}

/// The labels of [`Code`], by its index.
const CODES: [&str; 7] = ["ok", "-32700", "-32600", "-32601", "-32602", "-32603", "-32001"];

impl Code {
    const fn index(self) -> usize {
        match self {
            Self::Ok => 0,
            Self::Error(ErrorCode::Parse) => 1,
            Self::Error(ErrorCode::InvalidRequest) => 2,
            Self::Error(ErrorCode::MethodNotFound) => 3,
            Self::Error(ErrorCode::InvalidParams) => 4,
            Self::Error(ErrorCode::Internal) => 5,
            Self::Error(ErrorCode::Overloaded) => 6,
        }
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Requests {
    /// In the order of the table of methods, and one for all others.
    methods: Box<[Answers]>,
}

/// The answers to one method.
#[derive(Debug)]
struct Answers {
    counts: [[AtomicU64; CODES.len()]; Transport::ALL.len()],
    times: Durations,
}

/// One line of what was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The label of the transport.
    pub transport: &'static str,
    /// The method, or [`UNKNOWN`].
    pub method: &'static str,
    /// `ok`, or the number of the error.
    pub code: &'static str,
    /// How many there were.
    pub count: u64,
}

impl Default for Requests {
    fn default() -> Self {
        let answers = |_| Answers { counts: Default::default(), times: Durations::new(durations::REQUESTS) };
        Self { methods: (0..=METHODS.len()).map(answers).collect() }
    }
}

impl Requests {
    /// A request was answered at once, without work: it was refused, or is no request. `None` for a method that is not in
    /// the table.
    pub fn refused(&self, transport: Transport, method: Option<&'static Method>, code: ErrorCode) {
        self.add(self.of(method), transport, Code::Error(code));
    }

    fn answered(&self, transport: Transport, method: &'static Method, code: Code, since: Instant) {
        let answers = self.of(Some(method));
        self.add(answers, transport, code);
        if let Some(answers) = answers {
            answers.times.record(since.elapsed());
        }
    }

    fn of(&self, method: Option<&'static Method>) -> Option<&Answers> {
        self.methods.get(method.map_or(METHODS.len(), Method::row))
    }

    fn add(&self, answers: Option<&Answers>, transport: Transport, code: Code) {
        if let Some(count) = answers.and_then(|it| it.counts.get(transport as usize)?.get(code.index())) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What was counted, without what never happened.
    pub fn counted(&self) -> impl Iterator<Item = Counted> {
        self.named().flat_map(|(method, answers)| {
            Transport::ALL.into_iter().zip(&answers.counts).flat_map(move |(transport, counts)| {
                CODES.into_iter().zip(counts).filter_map(move |(code, count)| {
                    let count = count.load(Ordering::Relaxed);
                    (count > 0).then_some(Counted { transport: transport.label(), method, code, count })
                })
            })
        })
    }

    /// How long the answers took, of each method that was called.
    pub fn times(&self) -> impl Iterator<Item = (&'static str, &Durations)> {
        self.named().map(|(method, answers)| (method, &answers.times)).filter(|(_, times)| times.read().count > 0)
    }

    fn named(&self) -> impl Iterator<Item = (&'static str, &Answers)> {
        METHODS.iter().map(|method| method.name).chain([UNKNOWN]).zip(&self.methods)
    }
}

/// What one connection counts with.
#[derive(Clone, Debug)]
pub struct Meter {
    metrics: Arc<Metrics>,
    transport: Transport,
}

impl Meter {
    /// Counts requests that come by `transport`.
    pub fn new(metrics: Arc<Metrics>, transport: Transport) -> Self {
        Self { metrics, transport }
    }

    /// A request of which the first byte was read at `since` has its answer.
    pub fn answered(&self, method: &'static Method, code: Code, since: Instant) {
        self.metrics.requests.answered(self.transport, method, code, since);
        if code == Code::Error(ErrorCode::Overloaded) {
            self.metrics.refusals.add("behind_processor");
        }
    }

    /// A request did not get as far as the processor. `full` names the queue that had no room.
    pub fn overloaded(&self, method: &'static Method, full: &'static str) {
        self.metrics.requests.refused(self.transport, Some(method), ErrorCode::Overloaded);
        self.metrics.refusals.add(full);
    }

    /// A message was refused before it was known what it asks for, or because it does not fit its method.
    pub fn refused(&self, method: Option<&'static Method>, code: ErrorCode) {
        self.metrics.requests.refused(self.transport, method, code);
    }
}

#[cfg(test)]
impl Meter {
    /// Counts for nobody.
    pub(crate) fn of_a_test() -> Self {
        Self::new(Arc::default(), Transport::InProcess)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_its_own_counts() {
        let requests = Requests::default();
        for method in METHODS {
            requests.answered(Transport::Stdio, method, Code::Ok, Instant::now());
        }
        let names: Vec<_> = requests.counted().map(|counted| (counted.method, counted.count)).collect();
        let expected: Vec<_> = METHODS.iter().map(|method| (method.name, 1)).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn what_is_not_in_the_table_shares_one_label() {
        let requests = Requests::default();
        requests.refused(Transport::Websocket, None, ErrorCode::MethodNotFound);
        requests.refused(Transport::Websocket, None, ErrorCode::MethodNotFound);
        let counted: Vec<_> = requests.counted().collect();
        assert_eq!(counted, [Counted { transport: "websocket", method: UNKNOWN, code: "-32601", count: 2 }]);
        assert_eq!(requests.times().count(), 0, "it took no time");
    }

    #[test]
    fn every_code_has_the_number_of_its_answer_as_its_label() {
        use ErrorCode::{Internal, InvalidParams, InvalidRequest, MethodNotFound, Overloaded, Parse};
        for code in [Parse, InvalidRequest, MethodNotFound, InvalidParams, Internal, Overloaded] {
            assert_eq!(CODES[Code::Error(code).index()], code.number().to_string());
        }
        assert_eq!(CODES[Code::Ok.index()], "ok");
    }
}
