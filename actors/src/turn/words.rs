//! A user's words as the model sees them.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::protocol::item::{ImageDetail, MediaSource, UserInput};
use crate::protocol::model::{ContentPart, HistoryItem, Role};

/// The parts of a user's message for the model. Files that cannot be used become a text that says so, because the rest of
/// the message still counts.
///
/// Blocks on the files of local images, of which at most `image_bytes` are read each.
pub fn message(content: &[UserInput], cwd: &Path, image_bytes: usize) -> HistoryItem {
    let content = content.iter().flat_map(|part| parts(part, cwd, image_bytes)).collect();
    HistoryItem::Message { role: Role::User, content, phase: None }
}

fn parts(input: &UserInput, cwd: &Path, image_bytes: usize) -> Vec<ContentPart> {
    match input {
        UserInput::Text { text, .. } => vec![text_part(text.clone())],
        UserInput::Image { detail, source: MediaSource::Url { url } } => vec![image_part(url.clone(), *detail)],
        UserInput::LocalImage { detail, path } => match local_image(&cwd.join(path), image_bytes) {
            Ok(url) => vec![text_part(format!("Image {path}:")), image_part(url, *detail)],
            Err(reason) => vec![text_part(format!("The image {path} cannot be shown: {reason}."))],
        },
        UserInput::Skill { name, path } => vec![text_part(format!("Use the skill {name} ({path})."))],
        UserInput::Mention { name, path } => vec![text_part(format!("{name} ({path})"))],
        UserInput::Image { source: MediaSource::File { .. }, .. }
        | UserInput::Audio { .. }
        | UserInput::LocalAudio { .. } => {
            vec![text_part(
                "A part of this message cannot be shown: this server passes on text and images only.".to_owned(),
            )]
        }
    }
}

fn text_part(text: String) -> ContentPart {
    ContentPart::InputText { text }
}

fn image_part(image_url: String, detail: Option<ImageDetail>) -> ContentPart {
    let detail = detail.map(|detail| match detail {
        ImageDetail::Auto => "auto",
        ImageDetail::Low => "low",
        ImageDetail::High | ImageDetail::Original => "high",
    });
    ContentPart::InputImage { image_url, detail: detail.map(str::to_owned) }
}

/// The file as a `data:` URL, or why it cannot be one.
pub fn local_image(path: &Path, most_bytes: usize) -> Result<String, String> {
    let bytes = plain_file::read(path, most_bytes).map_err(|error| error.to_string())?;
    let kind = image_type(&bytes).ok_or("it is not a PNG, JPEG, GIF or WebP image")?;
    Ok(format!("data:{kind};base64,{}", STANDARD.encode(&bytes)))
}

/// The media type, by the first bytes: names lie.
fn image_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(content: &[UserInput], cwd: &Path) -> Vec<ContentPart> {
        match message(content, cwd, 64) {
            HistoryItem::Message { role: Role::User, content, .. } => content,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn local_images_travel_inside_the_message() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.png"), b"\x89PNG....").unwrap();
        let image = UserInput::LocalImage { detail: Some(ImageDetail::Low), path: "a.png".to_owned() };
        let [_, ContentPart::InputImage { image_url, detail }] = &shown(&[image], dir.path())[..] else { panic!() };
        assert_eq!((image_url.as_str(), detail.as_deref()), ("data:image/png;base64,iVBORy4uLi4=", Some("low")));
    }

    #[test]
    fn an_image_that_cannot_be_used_costs_the_rest_of_the_message_nothing() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("big"), [0xff; 65]).unwrap();
        std::fs::write(dir.path().join("text"), "text").unwrap();
        for (path, reason) in [("missing", "No such file"), ("big", "64"), ("text", "is not a PNG")] {
            let image = UserInput::LocalImage { detail: None, path: path.to_owned() };
            let text = UserInput::Text { text: "look".to_owned(), text_elements: Vec::new() };
            let parts = shown(&[image, text], dir.path());
            let texts: Vec<&str> = parts.iter().filter_map(ContentPart::text).collect();
            assert!(texts[0].contains(reason), "{texts:?}");
            assert_eq!(texts[1], "look");
        }
    }
}
