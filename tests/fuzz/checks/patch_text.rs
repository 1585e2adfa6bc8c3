use app_server_actors::patch::{Bounds, Change, Chunk, Line, Patch, edited, parse};

/// Between a file and the patch of it.
const SEPARATOR: u8 = 0;

/// Any text is read as a patch that says something, or refused in few words; and what an update makes of a file has
/// exactly the lines that it should have. The input is a file, a NUL and a patch.
pub fn patch_text(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == SEPARATOR);
    let (Some(file), Some(text)) = (parts.next(), parts.next()) else { return };
    let (Ok(file), Ok(text)) = (std::str::from_utf8(file), std::str::from_utf8(text)) else { return };
    match parse(text, &Bounds::default()) {
        Ok(patch) => assert_is_sound(file, &patch),
        Err(error) => assert!(error.to_string().len() < 10_000, "{error}"),
    }
}

fn assert_is_sound(file: &str, patch: &Patch) {
    assert!(!patch.operations.is_empty());
    for operation in &patch.operations {
        assert!(!operation.path.is_empty() && !operation.path.contains(char::is_control), "{:?}", operation.path);
        match &operation.change {
            Change::Add { content } => assert!(content.is_empty() || content.ends_with('\n')),
            Change::Delete => {}
            Change::Update { chunks, .. } => assert_is_edited(file, chunks),
        }
    }
}

fn assert_is_edited(file: &str, chunks: &[Chunk]) {
    assert!(!chunks.is_empty() && chunks.iter().all(|chunk| !chunk.lines.is_empty()));
    let Ok(new) = edited("file", file, chunks, &Bounds::default(), &mut 1_000_000) else { return };
    let count = |is_counted: fn(&Line) -> bool| {
        chunks.iter().flat_map(|chunk| &chunk.lines).filter(|line| is_counted(line)).count()
    };
    let added = count(|line| matches!(line, Line::Added(_)));
    let removed = count(|line| matches!(line, Line::Removed(_)));
    let lines = |text: &str| text.trim_start_matches('\u{feff}').split_inclusive('\n').count();
    // A last line without a newline is lost to the eye when it becomes empty.
    let (before, after) = (lines(file) + added, lines(&new) + removed);
    assert!(before == after || (!file.ends_with('\n') && before == after + 1), "{before} lines became {after}");
    assert_eq!(file.starts_with('\u{feff}'), new.starts_with('\u{feff}'));
}
