//! `view_image`: shows the model an image file.

use std::rc::Rc;

use actix_rt::task::spawn_blocking;
use schemars::JsonSchema;
use serde::Deserialize;

use super::schema::parameters;
use super::{Answer, Tool, Toolbox, USUAL_BYTES, run};
use crate::protocol::item::{ImageView, Item, ItemKind};
use crate::protocol::model::ContentPart;
use crate::protocol::quoted::beginning;
use crate::turn::messages::TurnEvent;
use crate::turn::words::local_image;

pub(super) const TOOL: Tool = Tool {
    name: "view_image",
    about: "Shows you an image file of this machine.",
    parameters: parameters::<ViewImage>,
    most_bytes: USUAL_BYTES,
    run: |toolbox, call| run(toolbox, &call, view_image),
};

#[derive(Deserialize, JsonSchema)]
struct ViewImage {
    /// The file: absolute, or relative to the working directory.
    path: String,
}

async fn view_image(toolbox: Rc<Toolbox>, call_id: String, ViewImage { path: named }: ViewImage) -> Answer {
    let (path, most_bytes) = (toolbox.path(&named), toolbox.setup.limits.image_bytes);
    let file = path.clone();
    let image = match spawn_blocking(move || local_image(&file, most_bytes)).await {
        Ok(Ok(image_url)) => image_url,
        Ok(Err(reason)) => return Answer::Text(format!("cannot show {}: {reason}", beginning(&named))),
        Err(_) => return Answer::Text(format!("the server failed while it read {}", beginning(&named))),
    };
    let view = ImageView { path: path.to_string_lossy().into_owned() };
    let item = toolbox.item(call_id, ItemKind::ImageView(view));
    let completed = Item { completed_at_ms: item.started_at_ms, ..item.clone() };
    toolbox
        .report(vec![TurnEvent::ItemStarted(item), TurnEvent::ItemCompleted { item: completed, history: Vec::new() }])
        .await;
    Answer::Parts(vec![ContentPart::InputImage { image_url: image, detail: None }])
}
