//! All or nothing.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

use super::*;

const OPERATIONS: &str = "*** Update File: u\n-a\n+A\n*** Delete File: d\n*** Update File: m\n\
                          *** Move to: new/n\n@@\n-a\n+b\n\
                          *** Update File: p\n*** Move to: q\n p\n*** Add File: deep/er/x\n+x\n*** Add File: r\n+R\n";

fn work() -> Work {
    Work::with(&[("d", "d\n"), ("m", "a\n"), ("p", "p\n"), ("q", "q\n"), ("r", "r\n"), ("u", "a\n")])
}

/// A change that fails only when names change: it needs the name of a folder that another change makes.
fn impossible(work: &Work, name: &str) -> PlannedChange {
    let mut planned = work.plan("*** Add File: other\n+x\n").unwrap();
    let place = Place { path: work.path(name), target: work.path(name) };
    PlannedChange { place, ..planned.changes.remove(0) }
}

#[test]
fn everything_is_written() {
    let work = work();
    work.apply(OPERATIONS).unwrap();
    work.assert_holds(&[("deep/er/x", "x\n"), ("new/n", "b\n"), ("q", "p\n"), ("r", "R\n"), ("u", "A\n")]);
}

#[test]
fn a_failure_at_any_step_takes_everything_back() {
    let work = work();
    let before = work.all();
    let planned = work.plan(OPERATIONS).unwrap();
    for at in 0..=planned.changes.len() {
        let mut planned = planned.clone();
        planned.changes.insert(at, impossible(&work, "deep"));
        // Where the folder is made later, its name is taken first by the file, which then is in the way.
        let error = planned.write().unwrap_err().to_string();
        let path = work.path("deep").display().to_string();
        assert!(error.starts_with(&path) && error.contains("Nothing was written"), "{at}: {error}");
        assert_eq!(work.all(), before, "{at}");
    }
}

#[test]
fn a_file_that_changed_since_refuses_everything() {
    for (name, change) in
        [("u", "-"), ("d", "-"), ("m", "-"), ("q", "-"), ("r", "-"), ("new/n", "+"), ("deep/er/x", "+")]
    {
        let work = work();
        let planned = work.plan(OPERATIONS).unwrap();
        work.put(name, b"?\n");
        let before = work.all();
        let error = planned.write().unwrap_err().to_string();
        let path = work.path(name).display().to_string();
        let said = match change {
            "-" => format!("{path} changed since the patch was shown; read it again. Nothing was written"),
            _ => format!("{path} did not exist when the patch was shown, and exists now; read it. Nothing was written"),
        };
        assert_eq!(error, said);
        assert_eq!(work.all(), before);
    }
}

#[test]
fn a_file_that_is_gone_or_is_something_else_refuses_everything() {
    type Make = fn(&Work);
    let makes: [(&str, Make); 4] = [
        ("changed since", |work| fs::remove_file(work.path("u")).unwrap()),
        ("changed since", |work| {
            fs::remove_file(work.path("u")).unwrap();
            fs::create_dir(work.path("u")).unwrap();
        }),
        ("leads elsewhere since", |work| {
            fs::rename(work.path("u"), work.path("u2")).unwrap();
            symlink("u2", work.path("u")).unwrap();
        }),
        ("leads elsewhere since", |work| symlink("/tmp", work.path("deep")).unwrap()),
    ];
    for (said, make) in makes {
        let work = work();
        let planned = work.plan(OPERATIONS).unwrap();
        make(&work);
        let before = work.all();
        let error = planned.write().unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
        assert_eq!(work.all(), before);
    }
}

#[test]
fn a_link_is_followed_to_where_it_led_when_the_patch_was_planned() {
    let work = Work::with(&[("one/u", "a\n"), ("two/u", "a\n")]);
    symlink("one", work.path("folder")).unwrap();
    symlink("one/u", work.path("file")).unwrap();
    let planned = ["folder", "folder/u", "file"].map(|path| {
        let path = if path == "folder" { "folder/new" } else { path };
        let operation = if path == "folder/new" { "Add" } else { "Update" };
        work.plan(&format!("*** {operation} File: {path}\n+b\n")).unwrap()
    });
    planned[2].write().unwrap();
    assert!(work.path("file").is_symlink());
    work.put("one/u", b"a\n");
    for name in ["folder", "file"] {
        fs::remove_file(work.path(name)).unwrap();
    }
    symlink("two", work.path("folder")).unwrap();
    symlink("two/u", work.path("file")).unwrap();
    for planned in planned {
        assert!(planned.write().unwrap_err().to_string().contains("leads elsewhere since"));
    }
    for file in ["one/u", "two/u"] {
        assert_eq!(fs::read_to_string(work.path(file)).unwrap(), "a\n");
    }
}

#[test]
fn a_file_keeps_its_permissions_and_other_names_keep_the_old_content() {
    let work = Work::with(&[("u", "a\n"), ("m", "a\n")]);
    for (name, mode) in [("u", 0o4751), ("m", 0o640)] {
        fs::set_permissions(work.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let owners = |name: &str| work.path(name).metadata().map(|it| (it.uid(), it.gid())).unwrap();
    let owner = if rustix::process::geteuid().is_root() { (65_534, 65_533) } else { owners("m") };
    chown(work.path("m"), Some(owner.0), Some(owner.1)).unwrap();
    fs::hard_link(work.path("u"), work.path("other")).unwrap();
    work.apply("*** Update File: u\n+b\n*** Update File: m\n*** Move to: n\n a\n").unwrap();
    assert_eq!(owners("n"), owner);
    let mode = |name: &str| work.path(name).metadata().unwrap().mode() & 0o7777;
    assert_eq!((mode("u"), mode("n")), (0o751, 0o640), "but none to run as another user");
    work.assert_holds(&[("n", "a\n"), ("other", "a\n"), ("u", "a\nb\n")]);
}

#[test]
fn a_plan_with_a_path_that_is_none_is_refused() {
    let work = work();
    for path in ["relative/x", "/", "/tmp/../tmp/x/y"] {
        let mut planned = work.plan("*** Add File: x\n").unwrap();
        planned.changes[0].place = Place { path: path.into(), target: path.into() };
        let error = planned.write().unwrap_err().to_string();
        assert!(error.contains("cannot be written"), "{error}");
    }
}
