// The words that are shown on both screens while a device is paired. The machine has the same list.

export const WORDS = `
able acid acorn amber anchor angle ankle apple apron arch arrow atlas attic autumn bacon badge
bagel baker balloon bamboo banana banjo barn basin basket beach beacon bean bear beaver bell bench
berry bicycle birch biscuit blanket blossom boat bonnet book bottle bowl branch brass bread brick bridge
bronze brook broom bucket butter button cabin cable cactus camel camera candle canoe canyon carpet carrot
castle cedar cello chain chalk cherry chess chimney circle clay cliff clock cloud clover coach coal
cobalt coconut coffee comet compass copper coral cotton cradle crane crayon cricket crown crystal cup curtain
daisy dance delta desert diamond dinner doctor dolphin donkey door dragon drum eagle earth easel echo
elbow engine falcon farm feather fence fern ferry fiddle finger flag flame flute forest fossil fountain
fox garden garlic ghost giant ginger glacier glove goat gold goose grape gravel guitar hammer harbor
harp hazel helmet heron hill honey horse island ivory jacket jaguar jelly jewel jungle kettle kitten
knight ladder lamp lantern lemon leopard library lily lion lizard lobster magnet maple marble market meadow
melon mirror mitten monkey moon mosaic motor mountain mouse museum mushroom napkin needle nest ocean octopus
olive onion orange orchard otter owl paddle palace panda paper parrot pearl pebble pencil pepper piano
pigeon pillow pilot planet plum pocket pony potato prairie puzzle rabbit radio rainbow ribbon river robin
rocket rose saddle sailor salmon sandal satin scarf school seal shadow shell shovel silver singer spider
spoon squirrel star stone sugar summer sunset table temple tiger tomato tower tulip violin walnut window
`.trim().split(/\s+/);
