//! The words that people compare while a device is paired.

use sha2::{Digest as _, Sha256};

/// Words of one pairing: 32 bits. Neither side can choose them, because each has to decide on its random number before it sees
/// that of the other one; so somebody in the middle has one try in four thousand million for each attempt of a person.
const WORDS: usize = 4;

/// 256 plain words; `src/relay/page/words.js` has the same.
const LIST: &str = "\
    able acid acorn amber anchor angle ankle apple apron arch arrow atlas attic autumn bacon badge \
    bagel baker balloon bamboo banana banjo barn basin basket beach beacon bean bear beaver bell bench \
    berry bicycle birch biscuit blanket blossom boat bonnet book bottle bowl branch brass bread brick bridge \
    bronze brook broom bucket butter button cabin cable cactus camel camera candle canoe canyon carpet carrot \
    castle cedar cello chain chalk cherry chess chimney circle clay cliff clock cloud clover coach coal \
    cobalt coconut coffee comet compass copper coral cotton cradle crane crayon cricket crown crystal cup curtain \
    daisy dance delta desert diamond dinner doctor dolphin donkey door dragon drum eagle earth easel echo \
    elbow engine falcon farm feather fence fern ferry fiddle finger flag flame flute forest fossil fountain \
    fox garden garlic ghost giant ginger glacier glove goat gold goose grape gravel guitar hammer harbor \
    harp hazel helmet heron hill honey horse island ivory jacket jaguar jelly jewel jungle kettle kitten \
    knight ladder lamp lantern lemon leopard library lily lion lizard lobster magnet maple marble market meadow \
    melon mirror mitten monkey moon mosaic motor mountain mouse museum mushroom napkin needle nest ocean octopus \
    olive onion orange orchard otter owl paddle palace panda paper parrot pearl pebble pencil pepper piano \
    pigeon pillow pilot planet plum pocket pony potato prairie puzzle rabbit radio rainbow ribbon river robin \
    rocket rose saddle sailor salmon sandal satin scarf school seal shadow shell shovel silver singer spider \
    spoon squirrel star stone sugar summer sunset table temple tiger tomato tower tulip violin walnut window";

/// All words, in the order of their numbers.
pub fn list() -> impl Iterator<Item = &'static str> {
    LIST.split(' ')
}

/// The words of a handshake with this digest, in which the phone has said one random number and the machine another one.
pub fn of(handshake: &[u8], phone: &[u8], machine: &[u8]) -> String {
    let digest = Sha256::new()
        .chain_update("codex-app-server words")
        .chain_update(handshake)
        .chain_update(phone)
        .chain_update(machine)
        .finalize();
    let all: Vec<&str> = list().collect();
    let chosen: Vec<&str> = digest.iter().take(WORDS).filter_map(|byte| all.get(usize::from(*byte)).copied()).collect();
    chosen.join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_byte_has_a_word_of_its_own() {
        let all: BTreeSet<&str> = list().collect();
        assert_eq!((all.len(), list().count()), (256, 256));
        assert!(all.iter().all(|word| (3..=8).contains(&word.len()) && word.bytes().all(|it| it.is_ascii_lowercase())));
    }

    #[test]
    fn every_part_of_a_handshake_changes_the_words() {
        let words = of(b"handshake", b"phone", b"machine");
        assert_eq!(words.split(' ').count(), WORDS);
        for other in [
            of(b"Handshake", b"phone", b"machine"),
            of(b"handshake", b"Phone", b"machine"),
            of(b"handshake", b"phone", b"Machine"),
        ] {
            assert_ne!(other, words);
        }
    }
}
