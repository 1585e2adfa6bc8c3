//! Lists and searches: filters, order, pages.

use super::super::messages::{DeleteThread, ListThreads, SearchThreads, SetArchived};
use super::*;
use crate::protocol::thread::SortDirection::{Asc, Desc};
use crate::protocol::thread::{ThreadSortKey, ThreadSourceKind};

fn list(filter: ThreadFilter, search_term: Option<&str>) -> ListThreads {
    let page = PageRequest { cursor: None, limit: None, direction: Desc };
    ListThreads { filter, search_term: search_term.map(Into::into), sort_key: ThreadSortKey::CreatedAt, page }
}

fn names(page: &Page<ThreadRecord>) -> Vec<&str> {
    page.data.iter().filter_map(|thread| thread.name.as_deref()).collect()
}

#[test]
fn a_thread_appears_with_its_first_turn_or_name() {
    let (mut fresh, mut used) = (named("", 1), named("", 2));
    (fresh.name, used.name) = (None, None);
    let mut db = database(&[&fresh, &used, &named("named", 3)]);
    record_turn(&mut db, used.id, "t1", "hello", "yes");
    let page = list(everything(), None).run(&mut db).unwrap();
    assert_eq!(page.data.iter().map(|t| t.created_at_ms).collect::<Vec<_>>(), [3, 2]);
    assert_eq!((page.data[1].preview.as_str(), page.data[1].recency_at_ms), ("hello", 9_000));
}

#[test]
fn filters_keep_what_they_name() {
    let (mut exec, mut away, mut elsewhere, mut custom) =
        (named("exec", 1), named("away", 2), named("elsewhere", 3), named("custom", 4));
    exec.source = SessionSource::Exec;
    custom.source = SessionSource::Custom("mine".into());
    (elsewhere.cwd, elsewhere.model_provider, elsewhere.originator) = ("/tmp".into(), "fake".into(), None);
    elsewhere.preview = "Needle in a stack".into();
    let mut db = database(&[&exec, &away, &elsewhere, &custom]);
    away = SetArchived { id: away.id, archived: true, at_ms: 9 }.run(&mut db).unwrap().unwrap();

    let all = everything;
    for (filter, term, expected) in [
        (all(), None, vec!["custom", "elsewhere"]),
        (all(), Some(""), vec!["custom", "elsewhere"]),
        (all(), Some("eedle"), vec!["elsewhere"]),
        (all(), Some("needle"), vec![]),
        (all(), Some("cust"), vec!["custom"]),
        (ThreadFilter { archived: true, ..all() }, None, vec!["away"]),
        (ThreadFilter { cwds: vec!["/tmp/".into()], ..all() }, None, vec!["elsewhere"]),
        (ThreadFilter { cwds: vec!["/tmp".into(), "/work".into()], ..all() }, None, vec!["custom", "elsewhere"]),
        (ThreadFilter { cwds: vec!["rel".into()], ..all() }, None, vec![]),
        (ThreadFilter { model_providers: vec!["fake".into()], ..all() }, None, vec!["elsewhere"]),
        (ThreadFilter { originators: vec!["probe".into()], ..all() }, None, vec!["custom"]),
        (ThreadFilter { excluded: vec![custom.id], ..all() }, None, vec!["elsewhere"]),
        (ThreadFilter { source_kinds: vec![ThreadSourceKind::Exec], ..all() }, None, vec!["exec"]),
        (ThreadFilter { source_kinds: vec![ThreadSourceKind::SubAgent], ..all() }, None, vec![]),
    ] {
        let shown = format!("{filter:?} {term:?}");
        assert_eq!(names(&list(filter, term).run(&mut db).unwrap()), expected, "{shown}");
    }
    assert_eq!(away.archived_at_ms, Some(9));
}

#[test]
fn each_key_orders_in_both_directions() {
    let mut threads = [named("a", 1), named("b", 2), named("c", 3)];
    for (thread, (updated, recency)) in threads.iter_mut().zip([(30, 200), (20, 300), (10, 100)]) {
        (thread.updated_at_ms, thread.recency_at_ms) = (updated, recency);
    }
    let mut db = database(&threads.each_ref());
    for (sort_key, ascending) in [
        (ThreadSortKey::CreatedAt, ["a", "b", "c"]),
        (ThreadSortKey::UpdatedAt, ["c", "b", "a"]),
        (ThreadSortKey::RecencyAt, ["c", "a", "b"]),
    ] {
        let mut ask = |direction| {
            let page = PageRequest { cursor: None, limit: None, direction };
            let list = ListThreads { filter: everything(), search_term: None, sort_key, page };
            list.run(&mut db).unwrap().data.into_iter().filter_map(|thread| thread.name).collect::<Vec<_>>()
        };
        assert_eq!(ask(Asc), ascending, "{sort_key:?}");
        assert_eq!(ask(Desc), ascending.into_iter().rev().collect::<Vec<_>>(), "{sort_key:?}");
    }
}

#[test]
fn pages_neither_repeat_nor_skip_while_threads_come_and_go() {
    // Three of them share a millisecond.
    let threads: Vec<_> = [10, 20, 20, 20, 30].iter().map(|at| named(&at.to_string(), *at)).collect();
    let mut db = database(&threads.iter().collect::<Vec<_>>());
    let ask = |db: &mut SqliteConnection, page| {
        ListThreads { filter: everything(), search_term: None, sort_key: ThreadSortKey::CreatedAt, page }
            .run(db)
            .unwrap()
    };
    let first = ask(&mut db, page_of(2, Desc));
    assert_eq!(names(&first), ["30", "20"]);
    insert(&mut db, &named("newer", 40));
    DeleteThread { id: first.data[1].id }.run(&mut db).unwrap(); // The very row of the cursor.
    let second = ask(&mut db, after(&first, 2, Desc));
    let third = ask(&mut db, after(&second, 2, Desc));
    let seen: Vec<_> = [&first, &second, &third].iter().flat_map(|page| page.data.iter().map(|t| t.id)).collect();
    let mut expected: Vec<_> = threads.iter().map(|t| t.id).collect();
    expected.sort_by_key(|id| std::cmp::Reverse((threads.iter().find(|t| t.id == *id).unwrap().created_at_ms, *id)));
    assert_eq!(seen, expected);
    assert_eq!((third.next_cursor.is_none(), third.data.len()), (true, 1));

    // Back from the third page: its first thread again, then those before it, and what came meanwhile.
    let cursor = Cursor::of_threads(third.backwards_cursor.as_deref().unwrap()).unwrap();
    let back = ask(&mut db, PageRequest { cursor: Some(cursor), limit: None, direction: Asc });
    assert_eq!(names(&back), ["10", "20", "20", "30", "newer"]);
}

#[test]
fn a_page_holds_between_1_and_100_rows_and_25_unless_said_otherwise() {
    let threads: Vec<_> = (0..120).map(|at| named("n", at)).collect();
    let mut db = database(&threads.iter().collect::<Vec<_>>());
    for (limit, rows) in [(None, 25), (Some(0), 1), (Some(7), 7), (Some(u32::MAX), 100)] {
        let mut list = list(everything(), None);
        list.page.limit = limit;
        assert_eq!(list.run(&mut db).unwrap().data.len(), rows, "{limit:?}");
    }
    let empty = list(everything(), Some("nothing like it")).run(&mut db).unwrap();
    assert_eq!((empty.data.len(), empty.next_cursor, empty.backwards_cursor), (0, None, None));
}

#[test]
fn only_cursors_of_the_same_list_are_taken() {
    let (mine, other) = (ThreadId::new(), ThreadId::new());
    let turns = format!("turns:from:3:{mine}");
    assert_eq!(Cursor::of_turns(mine, &turns).unwrap().to_string(), turns);
    for refused in [
        Cursor::of_threads("garbage"),
        Cursor::of_threads(""),
        Cursor::of_threads(&turns),
        Cursor::of_turns(other, &turns),
        Cursor::of_items(mine, &turns),
        Cursor::of_turns(mine, &format!("{turns}:")),
    ] {
        assert!(refused.unwrap_err().to_string().starts_with("invalid cursor: "));
    }
    assert_eq!(Cursor::of_threads("garbage").unwrap_err().to_string(), "invalid cursor: garbage");
}

#[test]
fn a_search_finds_titles_previews_and_what_was_said() {
    let (a, b, away) = (named("Alpha", 1), named("b", 2), named("away alpha", 3));
    let mut db = database(&[&a, &b, &away]);
    SetArchived { id: away.id, archived: true, at_ms: 9 }.run(&mut db).unwrap();
    record_turn(&mut db, b.id, "t1", "find the needle", "100% done_");
    let mut search = |term: &str| {
        let page = page_of(10, Desc);
        let sort_key = ThreadSortKey::CreatedAt;
        let search = SearchThreads { filter: everything(), search_term: term.into(), sort_key, page };
        let page = search.run(&mut db).unwrap();
        page.data.into_iter().map(|found| (found.thread.id, found.snippet)).collect::<Vec<_>>()
    };
    assert_eq!(search("alpha"), [(a.id, "Alpha".to_owned())]);
    assert_eq!(search("NEEDLE"), [(b.id, "find the needle".to_owned())]);
    assert_eq!(search("100%"), [(b.id, "100% done_".to_owned())]);
    assert_eq!(search("done%"), [], "no wildcards");
    assert_eq!(search("commandExecution"), [], "only what was said is searched");
}

#[test]
fn a_snippet_is_cut_between_characters() {
    let thread = named("n", 1);
    let mut db = database(&[&thread]);
    let text = format!("{}needle{}", "ä".repeat(300), "ö".repeat(300));
    record_turn(&mut db, thread.id, "t1", &text, "yes");
    let search_term = "needle".into();
    let page = page_of(1, Desc);
    let search = SearchThreads { filter: everything(), search_term, sort_key: ThreadSortKey::CreatedAt, page };
    let snippet = search.run(&mut db).unwrap().data.remove(0).snippet;
    assert_eq!(snippet, format!("…{}needle{}…", "ä".repeat(40), "ö".repeat(40)));
}
