//! The schedule alone: requests are numbers, a decision and an answer are the request's number again.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use proptest::prelude::*;

use super::*;

/// A request with a number, whose client has read what it was sent, or not.
#[derive(Debug)]
struct Numbered {
    number: usize,
    unread: Rc<RefCell<HashSet<ConnectionId>>>,
    connection: ConnectionId,
}

impl Request for Numbered {
    fn peer_has_drained(&self) -> bool {
        !self.unread.borrow().contains(&self.connection)
    }
}

/// A schedule, and what became of what it was given.
struct Harness {
    schedule: Schedule<Numbered, usize, usize>,
    unread: Rc<RefCell<HashSet<ConnectionId>>>,
    arrived: Vec<Ticket>,
    begun: Vec<(Ticket, usize)>,
    decided: Vec<usize>,
    answered: Vec<usize>,
}

impl Harness {
    fn new() -> Self {
        Self {
            schedule: Schedule::new(),
            unread: Rc::default(),
            arrived: Vec::new(),
            begun: Vec::new(),
            decided: Vec::new(),
            answered: Vec::new(),
        }
    }

    /// The number of the request.
    fn arrive(&mut self, client: u64, about: Option<ThreadId>, kind: Kind, large: bool) -> usize {
        let connection = ConnectionId(client);
        let ticket = Ticket::new(connection, about, kind, large);
        let number = self.arrived.len();
        self.arrived.push(ticket);
        self.schedule.arrive(ticket, Numbered { number, unread: self.unread.clone(), connection });
        self.begin();
        number
    }

    /// Whoever has a turn beside others could not tell if it were alone.
    fn begin(&mut self) {
        while let Some((ticket, request)) = self.schedule.next_due() {
            let looks = |kind| matches!(kind, Kind::Look | Kind::Create);
            let overlaps =
                |other: Kind| looks(other) && looks(ticket.kind) || (other, ticket.kind) == (Kind::Write, Kind::Write);
            let beside = self.begun.iter().filter(|(other, _)| other.about.is_some() && other.about == ticket.about);
            assert!(beside.into_iter().all(|(other, _)| overlaps(other.kind)), "{ticket:?} beside {:?}", self.begun);
            self.begun.push((ticket, request.number));
        }
    }

    fn begun(&self) -> Vec<usize> {
        self.begun.iter().map(|(_, number)| *number).collect()
    }

    /// The work of a begun request is done, it is decided and answered.
    fn end(&mut self, number: usize) {
        let index = self.begun.iter().position(|(_, begun)| *begun == number).expect("it has begun");
        let (ticket, _) = self.begun.remove(index);
        for (ticket, number) in self.schedule.worked(ticket, number) {
            self.schedule.decided(ticket);
            self.decided.push(number);
            for (ticket, answer) in self.schedule.answered(ticket, number) {
                self.answered.push(answer);
                if ticket.large {
                    self.schedule.delivered(ticket);
                }
            }
        }
        self.begin();
    }
}

fn about(thread: ThreadId) -> Option<ThreadId> {
    Some(thread)
}

#[test]
fn looks_overlap_writes_overlap_and_a_change_is_alone() {
    let (mut harness, thread) = (Harness::new(), about(ThreadId::new()));
    let kinds = [Kind::Look, Kind::Create, Kind::Write, Kind::Write, Kind::Change, Kind::Change, Kind::Look];
    for (client, kind) in (0..).zip(kinds) {
        harness.arrive(client, thread, kind, false);
    }
    assert_eq!(harness.begun(), [0, 1]);
    harness.end(1);
    assert!(harness.begun() == [0], "a write waits for both looks");
    harness.end(0);
    assert_eq!(harness.begun(), [2, 3]);
    harness.end(3);
    assert_eq!((harness.begun(), harness.decided.as_slice()), (vec![2], &[1, 0][..]), "writes are decided in order");
    harness.end(2);
    assert_eq!(harness.begun(), [4]);
    harness.end(4);
    assert_eq!(harness.begun(), [5]);
    harness.end(5);
    assert_eq!(harness.begun(), [6]);
    harness.end(6);
    assert_eq!(harness.answered, [1, 0, 2, 3, 4, 5, 6]);
    assert!(harness.schedule.clients.is_empty() && harness.schedule.lanes.is_empty(), "nothing is kept");
}

#[test]
fn one_client_is_answered_in_its_order_and_others_do_not_wait() {
    let (mut harness, thread) = (Harness::new(), about(ThreadId::new()));
    for client in [1, 1, 2] {
        harness.arrive(client, thread, Kind::Look, false);
    }
    let elsewhere = harness.arrive(1, about(ThreadId::new()), Kind::Look, false);
    harness.end(1);
    harness.end(elsewhere);
    harness.end(2);
    harness.end(0);
    assert_eq!(harness.answered, [elsewhere, 2, 0, 1]);
}

#[test]
fn an_overview_shows_what_the_same_client_changed_before() {
    let mut harness = Harness::new();
    let change = harness.arrive(1, about(ThreadId::new()), Kind::Change, false);
    let overview = harness.arrive(1, None, Kind::Look, false);
    let later = harness.arrive(1, about(ThreadId::new()), Kind::Write, false);
    let of_another = harness.arrive(2, None, Kind::Look, false);
    assert_eq!(harness.begun(), [change, of_another]);
    assert!(!harness.schedule.owes_nothing(ConnectionId(1)), "an overview that comes now has to wait");
    assert!(harness.schedule.owes_nothing(ConnectionId(3)), "a client without requests waits for nobody");
    harness.end(change);
    assert_eq!(harness.begun(), [of_another, overview]);
    harness.end(overview);
    assert_eq!(harness.begun(), [of_another, later]);
    harness.end(later);
    assert!(harness.schedule.owes_nothing(ConnectionId(1)), "all is answered");
}

#[test]
fn large_answers_go_out_one_at_a_time_to_a_client_that_reads() {
    let (mut harness, thread) = (Harness::new(), about(ThreadId::new()));
    let slow = ConnectionId(1);
    let first = harness.arrive(1, thread, Kind::Look, true);
    let second = harness.arrive(1, thread, Kind::Look, true);
    let behind = harness.arrive(1, thread, Kind::Look, false);
    assert_eq!(harness.begun(), [first]);
    harness.unread.borrow_mut().insert(slow);
    harness.end(first);
    assert!(harness.begun().is_empty(), "the client has not read the first");
    assert_eq!(
        harness.schedule.next_undrained().map(|(connection, request)| (connection, request.number)),
        Some((slow, second))
    );

    let change = harness.arrive(2, thread, Kind::Change, false);
    assert_eq!(harness.begun(), [change], "others do not wait for a client that does not read");
    harness.end(change);
    harness.unread.borrow_mut().clear();
    harness.schedule.peer_drained(slow);
    harness.begin();
    assert_eq!(harness.begun(), [second, behind]);
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Look), Just(Kind::Create), Just(Kind::Write), Just(Kind::Change)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes, and in whatever order the work ends: everything is decided and answered once, what conflicts has
    /// its turn alone, each client's requests about a thread are decided and answered in their order, and nothing is
    /// kept.
    #[test]
    fn everything_ends_once_and_in_its_order(
        requests in prop::collection::vec((0_u64..3, prop::option::weighted(0.8, 0_usize..2), kinds(), any::<bool>()), 1..30),
        ends in prop::collection::vec(any::<prop::sample::Index>(), 200),
    ) {
        let threads = [ThreadId::new(), ThreadId::new()];
        let mut harness = Harness::new();
        let mut ends = ends.into_iter();
        for (client, thread, kind, large) in requests {
            harness.arrive(client, thread.map(|thread| threads[thread]), kind, large);
            if harness.arrived.len().is_multiple_of(3) && !harness.begun.is_empty() {
                let number = harness.begun()[ends.next().unwrap().index(harness.begun.len())];
                harness.end(number);
            }
        }
        while !harness.begun.is_empty() {
            let number = harness.begun()[ends.next().unwrap().index(harness.begun.len())];
            harness.end(number);
        }
        prop_assert!(harness.schedule.clients.is_empty() && harness.schedule.lanes.is_empty());
        let all: Vec<usize> = (0..harness.arrived.len()).collect();
        let sorted = |numbers: &[usize]| { let mut numbers = numbers.to_vec(); numbers.sort_unstable(); numbers };
        prop_assert_eq!(sorted(&harness.decided), all.clone());
        prop_assert_eq!(sorted(&harness.answered), all);
        let in_order = |numbers: &[usize], conflict: &dyn Fn(&Ticket, &Ticket) -> bool| {
            numbers.iter().enumerate().all(|(index, earlier)| numbers[index..].iter().all(|later| {
                earlier <= later || !conflict(&harness.arrived[*earlier], &harness.arrived[*later])
            }))
        };
        let looks = |ticket: &Ticket| matches!(ticket.kind, Kind::Look | Kind::Create);
        let heard = |one: &Ticket, other: &Ticket| {
            one.about.is_some() && one.about == other.about && one.connection == other.connection
        };
        let conflict = |one: &Ticket, other: &Ticket| heard(one, other) && !(looks(one) && looks(other));
        prop_assert!(in_order(&harness.decided, &conflict), "{:?}", harness.decided);
        prop_assert!(in_order(&harness.answered, &heard), "{:?}", harness.answered);
    }
}
