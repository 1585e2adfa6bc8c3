//! The result of an MCP tool, for the model and for clients.

use std::time::Duration;

use rmcp::model::CallToolResult;
use serde_json::{Value, json};

use super::outcome::Answer;
use crate::protocol::item::McpToolCallResult;
use crate::protocol::model::ContentPart;
use crate::turn::history::shortened;

/// What the model sees: structured content where there is some, else the blocks. Text has at most `text_bytes`, a picture
/// `image_bytes`.
pub(super) fn told(
    result: &Result<CallToolResult, String>,
    time: Duration,
    text_bytes: usize,
    image_bytes: usize,
) -> Answer {
    let head = format!("Wall time: {:.4} seconds\nOutput:", time.as_secs_f64());
    let result = match result {
        Ok(result) => result,
        Err(reason) => return Answer::Text(format!("{head}\n{}", shortened(reason, text_bytes))),
    };
    if let Some(content) = result.structured_content.as_ref().filter(|content| !content.is_null()) {
        return Answer::Text(format!("{head}\n{}", shortened(&content.to_string(), text_bytes)));
    }
    let blocks = result.content.iter().filter_map(|block| serde_json::to_value(block).ok());
    let parts: Vec<ContentPart> = blocks.map(|block| part(&block, image_bytes)).collect();
    let texts: Vec<&str> = parts.iter().filter_map(ContentPart::text).collect();
    let text = format!("{head}\n{}", shortened(&texts.join("\n"), text_bytes));
    let images = parts.iter().filter(|part| matches!(part, ContentPart::InputImage { .. }));
    let images: Vec<ContentPart> = images.cloned().collect();
    if images.is_empty() {
        return Answer::Text(text);
    }
    Answer::Parts([ContentPart::InputText { text }].into_iter().chain(images).collect())
}

fn part(block: &Value, image_bytes: usize) -> ContentPart {
    let text = |text: String| ContentPart::InputText { text };
    let member = |name: &str| block.get(name).and_then(Value::as_str).unwrap_or_default();
    match member("type") {
        "text" => text(member("text").to_owned()),
        "image" if member("data").len() > image_bytes.saturating_mul(4) / 3 + 4 => {
            text(format!("(a picture of more than {image_bytes} bytes, which is left out)"))
        }
        "image" => {
            let image_url = format!("data:{};base64,{}", member("mimeType"), member("data"));
            ContentPart::InputImage { image_url, detail: None }
        }
        "audio" => text("(a recording, which this server cannot pass on)".to_owned()),
        "resource" => match block["resource"]["text"].as_str() {
            Some(content) => text(content.to_owned()),
            None => {
                text(format!("(the resource {}, which is not text)", block["resource"]["uri"].as_str().unwrap_or("")))
            }
        },
        _ => text(block.to_string()),
    }
}

/// What clients see of it, and what is kept. Of a result of more than `most` bytes only the text stays, shortened.
pub(super) fn kept(result: CallToolResult, most: usize) -> McpToolCallResult {
    let CallToolResult { content, structured_content, meta, .. } = result;
    let content: Vec<Value> = content.iter().filter_map(|block| serde_json::to_value(block).ok()).collect();
    let meta = meta.and_then(|meta| serde_json::to_value(meta).ok());
    let result = McpToolCallResult { content, structured_content, meta };
    let bytes = serde_json::to_vec(&result).map_or(0, |bytes| bytes.len());
    if bytes <= most {
        return result;
    }
    let texts = result.content.iter().filter_map(|block| block.get("text").and_then(Value::as_str));
    let text = texts.collect::<Vec<_>>().join("\n");
    // Control characters take six bytes each in JSON.
    let text = shortened(&text, most / 8);
    let note = format!(
        "(the result has {bytes} bytes; at most {most} are kept (mcp.result_bytes), so this is what there is of its text)"
    );
    let content = vec![json!({"type": "text", "text": note}), json!({"type": "text", "text": text})];
    McpToolCallResult { content, structured_content: None, meta: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(value: Value) -> CallToolResult {
        serde_json::from_value(value).unwrap()
    }

    fn text_told(value: Value) -> String {
        match told(&Ok(result(value)), Duration::from_millis(1500), 100, 12) {
            Answer::Text(text) => text.strip_prefix("Wall time: 1.5000 seconds\nOutput:\n").unwrap().to_owned(),
            _ => panic!(),
        }
    }

    #[test]
    fn the_model_sees_structured_content_or_text() {
        let blocks = json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"},
            {"type": "resource", "resource": {"uri": "x:", "text": "c"}}]);
        assert_eq!(text_told(json!({"content": blocks})), "a\nb\nc");
        assert_eq!(text_told(json!({"content": blocks, "structuredContent": {"x": 1}})), r#"{"x":1}"#);
        let long = text_told(json!({"content": [{"type": "text", "text": "x".repeat(1000)}]}));
        assert!(long.contains("900 bytes left out"), "{long}");
        let failed = told(&Err("boom".to_owned()), Duration::ZERO, 100, 12);
        assert!(matches!(failed, Answer::Text(text) if text.ends_with("Output:\nboom")));
    }

    #[test]
    fn pictures_are_passed_on_unless_they_are_large() {
        let image = |bytes: usize| json!({"type": "image", "mimeType": "image/png", "data": "A".repeat(bytes)});
        let seen = told(&Ok(result(json!({"content": [image(8)]}))), Duration::ZERO, 100, 12);
        let Answer::Parts(parts) = seen else { panic!() };
        assert!(
            matches!(&parts[1], ContentPart::InputImage { image_url, .. } if image_url == "data:image/png;base64,AAAAAAAA")
        );
        assert!(text_told(json!({"content": [image(100)]})).contains("left out"));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let small = json!({"content": [{"type": "text", "text": "a"}], "structuredContent": [1], "_meta": {"k": "v"}});
        let kept_small = kept(result(small), 1 << 20);
        assert_eq!(kept_small.structured_content, Some(json!([1])));
        assert_eq!(kept_small.meta, Some(json!({"k": "v"})));
        let large = json!({"content": [{"type": "text", "text": "\u{1}".repeat(1 << 20)}]});
        let kept_large = kept(result(large), 1 << 20);
        assert!(serde_json::to_vec(&kept_large).unwrap().len() <= (1 << 20));
        assert_eq!(kept_large.content.len(), 2);
    }
}
