use std::collections::BTreeSet;

use app_server_actors::model::{Answer, ModelEvent, StreamFault, WireApi};

/// Bytes of one event of a stream.
const EVENT: usize = 64 * 1024;

/// Any bytes are read as an answer or as a fault, wherever they are cut; and every item that begins ends, once. The first
/// byte chooses the wire, the second one the size of the pieces.
pub fn model_stream(bytes: &[u8]) {
    let [wire, size, stream @ ..] = bytes else { return };
    let wire = if wire % 2 == 0 { WireApi::Responses } else { WireApi::Chat };
    let (whole, read) = read(wire, &[stream]);
    let pieces: Vec<&[u8]> = stream.chunks(usize::from(*size).max(1)).collect();
    let (in_pieces, read_in_pieces) = self::read(wire, &pieces);
    assert_eq!(shown(&whole), shown(&in_pieces));
    assert_eq!(read.is_ok(), read_in_pieces.is_ok());

    let (mut open, mut done) = (BTreeSet::new(), BTreeSet::new());
    for event in &whole {
        match event {
            ModelEvent::TextDelta { item, .. }
            | ModelEvent::ReasoningSummaryPart { item, .. }
            | ModelEvent::ReasoningSummaryDelta { item, .. }
            | ModelEvent::ReasoningDelta { item, .. } => {
                assert!(!done.contains(item), "{item} goes on after its end");
                open.insert(*item);
            }
            ModelEvent::ItemDone { item, .. } => {
                open.remove(item);
                assert!(done.insert(*item), "{item} ends twice");
            }
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?} never end");
    let completed = whole.iter().filter(|event| matches!(event, ModelEvent::Completed)).count();
    assert_eq!(completed, usize::from(read.is_ok()), "{read:?}");
    assert!(read.is_err() || !done.is_empty(), "an empty success");
}

fn read(wire: WireApi, pieces: &[&[u8]]) -> (Vec<ModelEvent>, Result<(), StreamFault>) {
    let (mut answer, mut out) = (Answer::new(wire, 0, EVENT), Vec::new());
    let read = pieces.iter().try_for_each(|piece| answer.push(piece, &mut out)).and_then(|()| answer.end(&mut out));
    if read.is_err() {
        answer.cut(&mut out);
    }
    (out, read)
}

/// Ids that are made anew for each reading say nothing.
fn shown(events: &[ModelEvent]) -> Vec<String> {
    let of_event = |event: &ModelEvent| match event {
        ModelEvent::ItemDone { item, entry, cut } => {
            format!("{item} {cut} {} {:?}", entry.said(), entry.thought())
        }
        event => format!("{event:?}"),
    };
    events.iter().map(of_event).collect()
}
