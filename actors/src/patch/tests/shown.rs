//! What people and clients see of a patch.

use std::os::unix::fs::{PermissionsExt, symlink};

use crate::protocol::item::PatchChangeKind;

use super::*;

#[test]
fn clients_see_contents_and_hunks() {
    let work = Work::with(&[("d.txt", "bye\n"), ("m.txt", "a\nz\n"), ("u.txt", "a\nb\nc\n")]);
    let operations = "*** Add File: n.txt\n+new\n*** Delete File: d.txt\n\
                      *** Update File: m.txt\n*** Move to: sub/m2.txt\n@@\n-a\n+b\n z\n\
                      *** Update File: u.txt\n-b\n+B\n";
    let planned = work.plan(operations).unwrap();
    let path = |name: &str| work.path(name).display().to_string();
    let moved = path("sub/m2.txt");
    let expected = [
        ("n.txt", PatchChangeKind::Add, "new\n".to_owned()),
        ("d.txt", PatchChangeKind::Delete, "bye\n".to_owned()),
        (
            "m.txt",
            PatchChangeKind::Update { move_path: Some(moved.clone()) },
            format!("@@ -1,2 +1,2 @@\n-a\n+b\n z\n\n\nMoved to: {moved}"),
        ),
        ("u.txt", PatchChangeKind::Update { move_path: None }, "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n".to_owned()),
    ];
    let changes: Vec<_> = planned.file_changes().into_iter().map(|it| (it.path, it.kind, it.diff)).collect();
    assert_eq!(changes, expected.map(|(name, kind, diff)| (path(name), kind, diff)));
}

#[test]
fn git_would_show_it_so() {
    let work = Work::with(&[("d.txt", "bye\n"), ("m.txt", "a\nz\n"), ("r.txt", "old\n"), ("same.txt", "x\n")]);
    work.put("image", b"\xff\x00");
    fs::set_permissions(work.path("image"), fs::Permissions::from_mode(0o755)).unwrap();
    let operations = "*** Delete File: d.txt\n*** Update File: m.txt\n*** Move to: sub/m2.txt\n@@\n-a\n+b\n z\n\
                      *** Add File: r.txt\n+new\n*** Add File: e\n*** Delete File: image\n\
                      *** Update File: same.txt\n x\n";
    let planned = work.plan(operations).unwrap();
    let zeros = "0".repeat(40);
    let diff = git_diff([&planned], &work.root());
    let expected = format!(
        "diff --git a/d.txt b/d.txt
deleted file mode 100644
index b023018cabc396e7692c70bbf5784a93d3f738ab..{zeros}
--- a/d.txt
+++ /dev/null
@@ -1 +0,0 @@
-bye
diff --git a/m.txt b/sub/m2.txt
index 58f424cdb4f2b274988707a0cf0b1f464aa04acc..63d7d705891b78daf172fb11da13d666fd5062cd
--- a/m.txt
+++ b/sub/m2.txt
@@ -1,2 +1,2 @@
-a
+b
 z
diff --git a/r.txt b/r.txt
index 3367afdbbf91e638efe983616377c60477cc6612..3e757656cf36eca53338e520d134963a44f793f8
--- a/r.txt
+++ b/r.txt
@@ -1 +1 @@
-old
+new
diff --git a/e b/e
new file mode 100644
index {zeros}..e69de29bb2d1d6434b8b29ae775ad8c2e48c5391
diff --git a/image b/image
deleted file mode 100755
index {}..{zeros}
Binary files a/image and /dev/null differ
",
        planned.changes[4].old_blob()
    );
    assert_eq!(diff, expected);
    let root = work.root();
    let outside = root.strip_prefix("/").unwrap().display().to_string();
    assert!(git_diff([&planned], &work.path("sub")).contains(&format!("diff --git a/{outside}/m.txt b/m2.txt\n")));
}

#[test]
fn several_patches_are_shown_as_one() {
    let work = Work::with(&[("a", "1\n2\n"), ("b", "b\n"), ("c", "c\n"), ("d", "d\n")]);
    let shown = |patches: &[&str]| {
        let planned = patches.iter().map(|operations| {
            let planned = work.plan(operations).unwrap();
            planned.write().unwrap();
            planned
        });
        let planned: Vec<Planned> = planned.collect();
        let diff = git_diff(&planned, &work.root());
        diff.lines().filter(|line| !line.starts_with("index ")).map(|line| format!("{line}\n")).collect::<String>()
    };
    let update =
        shown(&["*** Update File: a\n-1\n+x\n", "*** Update File: a\n-2\n+y\n", "*** Update File: a\n-x\n+1\n"]);
    assert_eq!(update, "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n 1\n-2\n+y\n");
    assert_eq!(shown(&["*** Add File: n\n+x\n", "*** Delete File: n\n"]), "");
    assert_eq!(shown(&["*** Delete File: c\n", "*** Add File: c\n+c\n"]), "");
    let moved = shown(&["*** Update File: b\n*** Move to: m\n b\n", "*** Update File: m\n-b\n+x\n"]);
    assert_eq!(moved, "diff --git a/b b/m\n--- a/b\n+++ b/m\n@@ -1 +1 @@\n-b\n+x\n");
    let again = shown(&["*** Update File: m\n*** Move to: b\n x\n", "*** Add File: m\n+x\n"]);
    let added = "diff --git a/m b/m\nnew file mode 100644\n--- /dev/null\n+++ b/m\n@@ -0,0 +1 @@\n+x\n";
    assert_eq!(again, format!("diff --git a/m b/b\n{added}"));
    let replaced = shown(&["*** Update File: c\n*** Move to: d\n c\n", "*** Update File: d\n-c\n+x\n"]);
    let lost = "diff --git a/d b/d\ndeleted file mode 100644\n--- a/d\n+++ /dev/null\n@@ -1 +0,0 @@\n-d\n";
    assert_eq!(replaced, format!("{lost}diff --git a/c b/d\n--- a/c\n+++ b/d\n@@ -1 +1 @@\n-c\n+x\n"));
}

#[test]
fn too_much_is_not_shown() {
    let work = Work::with(&[]);
    let mut patched = Patched::new(10_000);
    for _ in 0..20 {
        patched.add(&work.plan("*** Add File: x\n").unwrap());
        work.put("x", b"");
        patched.add(&work.plan("*** Delete File: x\n").unwrap());
        fs::remove_file(work.path("x")).unwrap();
    }
    for file in 0..6 {
        let content = "+0123456789\n".repeat(100);
        patched.add(&work.plan(&format!("*** Add File: f{file}\n{content}")).unwrap());
        assert_eq!(patched.git_diff(&work.root()).is_some(), file < 4, "{file}");
    }
}

#[test]
fn a_missing_final_newline_is_shown() {
    let work = Work::with(&[("u", "a\nb")]);
    let planned = work.plan("*** Update File: u\n-a\n+A\n").unwrap();
    let hunk = "@@ -1,2 +1,2 @@\n-a\n+A\n b\n\\ No newline at end of file\n";
    assert_eq!(planned.file_changes()[0].diff, hunk);
}

#[test]
fn every_path_is_a_target_and_so_is_where_it_leads() {
    let work = Work::with(&[("real/u", "a\n"), ("m", "a\n"), ("d", "")]);
    symlink("real", work.path("link")).unwrap();
    let operations = "*** Update File: link/u\n-a\n*** Update File: m\n*** Move to: n\n a\n*** Delete File: d\n\
                      *** Add File: link/../x\n";
    let targets = work.plan(operations).unwrap().targets();
    let expected = ["d", "link/u", "m", "n", "real/u", "x"].map(|name| work.path(name));
    assert_eq!(targets, expected);
}

#[test]
fn a_plan_is_the_same_after_a_way_through_json() {
    let work = Work::with(&[("u", "a\n"), ("m", "a\n"), ("d", "x")]);
    work.put("image", b"\xff");
    let operations = "*** Update File: u\n-a\n*** Update File: m\n*** Move to: n\n a\n*** Delete File: d\n\
                      *** Delete File: image\n*** Add File: x\n+ä\n";
    let planned = work.plan(operations).unwrap();
    let json = serde_json::to_string(&planned).unwrap();
    assert_eq!(serde_json::from_str::<Planned>(&json).unwrap(), planned);
}

impl PlannedChange {
    fn old_blob(&self) -> &str {
        match &self.kind {
            PlannedKind::Add { replaced, .. } => replaced.as_ref().map_or("", |old| &old.blob),
            PlannedKind::Delete { old } | PlannedKind::Update { old, .. } => &old.blob,
        }
    }
}
