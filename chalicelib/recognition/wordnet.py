"""What this project changes of WordNet, where a term or the class list does not say what pictures show.

Keys are WordNet 3.0 identifiers, as in ``imagenet_hierarchy.json``; the comment gives WordNet's name.

Some general terms are no labels here: names that a person would not use for a picture. Only general terms
are left out, never a class: what the classifier was taught to see is always worth saying. A class may share
its name with a term below (a racing car and a running animal are both "racer"); the class keeps the name
then, and the term stays away.
"""

from __future__ import annotations

from collections.abc import Mapping

# Names that a person would read as another thing, or would not find it under. The detector's names
# that mean the same are written as here.
RENAMED: Mapping[str, str] = {
    "n02113186": "Cardigan Welsh corgi",  # Cardigan
    "n02113023": "Pembroke Welsh corgi",  # Pembroke
    "n02085936": "Maltese",  # Maltese dog
    "n02112137": "chow chow",  # chow
    "n02108089": "boxer dog",  # boxer
    "n02704792": "amphibious vehicle",  # amphibian
    "n02892201": "memorial brass",  # brass
    "n03991062": "flowerpot",  # pot
    "n04037443": "race car",  # racer
    "n04515003": "upright piano",  # upright
    "n01514668": "rooster",  # cock
    "n01608432": "kite bird",  # kite
    "n02279972": "monarch butterfly",  # monarch
    "n02276258": "admiral butterfly",  # admiral
    "n02277742": "ringlet butterfly",  # ringlet
    "n02493509": "titi monkey",  # titi
    "n02134084": "polar bear",  # ice bear
    "n02509815": "red panda",  # lesser panda
    "n02497673": "ring-tailed lemur",  # Madagascar cat
    "n02607072": "clownfish",  # anemone fish
    "n02389026": "sorrel horse",  # sorrel
    "n03954731": "hand plane",  # plane
    "n03793489": "computer mouse",  # mouse
    "n03854065": "pipe organ",  # organ
    "n03337140": "filing cabinet",  # file
    "n04118776": "ruler",  # rule
    "n03929660": "guitar pick",  # pick
    "n02879718": "archery bow",  # bow
    "n04243546": "slot machine",  # slot
    "n12620546": "rose hip",  # hip
    "n13133613": "ear of corn",  # ear
    "n03947888": "pirate ship",  # pirate
    "n04606251": "shipwreck",  # wreck
    "n10148035": "bridegroom",  # groom
    "n03825788": "baby bottle nipple",  # nipple
    "n03483316": "hair dryer",  # hand blower
    "n02814533": "station wagon",  # beach wagon
    "n02930766": "taxi",  # cab
    "n02992529": "mobile phone",  # cellular telephone
    "n03485407": "handheld computer",  # hand-held computer
    "n02747177": "trash can",  # ashcan
    "n04344873": "sofa bed",  # studio couch
    "n07615774": "popsicle",  # ice lolly
    "n03599486": "rickshaw",  # jinrikisha
    "n04141076": "saxophone",  # sax
    "n07697537": "hot dog",  # hotdog
    "n03594734": "jeans",  # jean
    "n02840245": "ring binder",  # binder
    "n02835271": "tandem bicycle",  # bicycle-built-for-two
    "n04553703": "sink",  # washbasin
    "n04399382": "teddy bear",  # teddy
    "n15075141": "toilet paper",  # toilet tissue
    "n04372370": "electric switch",  # switch
    "n04523525": "vaulted ceiling",  # vault
    "n04152593": "computer screen",  # screen
    "n07579787": "plate of food",  # plate
    "n03126707": "construction crane",  # crane
    "n02395406": "pig",  # hog
    "n06359193": "website",  # web site
    "n03424325": "gas mask",  # gasmask
    "n03492542": "hard disk",  # hard disc
    "n03803284": "dog muzzle",  # muzzle
    "n03017168": "wind chime",  # chime
    "n02891788": "brass instrument",  # brass
    "n03502509": "headwear",  # headdress
    "n03964744": "toy",  # plaything
    "n04489008": "trousers",  # trouser
    "n04272054": "glasses",  # spectacles
    "n03722288": "market",  # marketplace
    "n02959942": "railway car",  # car
    "n04530566": "watercraft",  # vessel
}

# Terms under which a class does not belong: the class list picked another sense of the word (a teacup
# is filed as a punch, so as alcohol), two classes hold pictures of one thing (missile and projectile,
# both sunglasses, both bathtubs), or the general term is no use to a person (a car as a container).
# The new general terms stand in place of the old ones.
MOVED: Mapping[str, tuple[str, ...]] = {
    "n07930864": ("n03241496",),  # cup: drinking vessel
    "n03797390": ("n07930864",),  # mug: cup
    "n04008634": ("n03773504",),  # projectile: missile
    "n04355933": ("n04356056",),  # sunglass: sunglasses
    "n03710637": ("n04371563",),  # maillot: swimsuit
    "n03832673": ("n03642806",),  # notebook: laptop
    "n04493381": ("n02808440",),  # tub: bathtub
    "n13133613": ("n12144580",),  # ear: corn
    "n01871265": ("n02503517",),  # tusker: elephant
    "n02117135": ("n02075296",),  # hyena: carnivore
    "n06359193": (),  # web site: nothing
    "n07565083": (),  # menu: nothing
    "n03891332": (),  # parking meter: nothing
    "n07800091": (),  # feed: nothing
    "n04019101": ("n04524313",),  # public transport: vehicle
    "n04576211": ("n04524313",),  # wheeled vehicle: vehicle
    "n04284002": ("n03153375",),  # spoon: cutlery
    "n04023962": ("n04285146",),  # punching bag: sports equipment
    "n07871810": ("n07557434",),  # meat loaf: dish
    "n03045698": ("n03045337",),  # cloak: cloak
    "n03380867": ("n03051540",),  # footwear: clothing
    "n03513376": ("n03513137",),  # helmet: helmet
}

# What only the detector knows, by the general term it belongs under.
ADDED: Mapping[str, tuple[str, ...]] = {
    "baseball bat": ("baseball equipment",),
    "baseball glove": ("baseball equipment",),
    "book": ("publication",),
    "cake": ("dessert",),
    "carrot": ("vegetable",),
    "cow": ("cattle",),
    "donut": ("dessert",),
    "fire hydrant": (),
    "fork": ("cutlery",),
    "frisbee": ("sports equipment",),
    "giraffe": ("ungulate",),
    "handbag": ("bag",),
    "kite": ("toy",),
    "potted plant": ("plant",),
    "scissors": ("tool",),
    "skateboard": ("sports equipment",),
    "snowboard": ("sports equipment",),
    "stop sign": ("street sign",),
    "suitcase": ("bag",),
    "surfboard": ("sports equipment",),
    "tennis racket": ("racket",),
    "toilet": (),
    "toothbrush": (),
    "wine glass": ("glass",),
}


def _names(listed: str) -> frozenset[str]:
    return frozenset(" ".join(name.split()) for name in listed.split(","))


# True of nearly everything, or of nothing that can be seen.
TOO_GENERAL = _names(
    """
    abstraction, agent, area, article, artifact, attribute, barrier, causal agent, communication,
    creation, decoration, design, emblem, entity, fluid, geographic point, geological formation, globule,
    horizontal surface, liquid, living thing, location, material, matter, measure, mechanism, medium,
    natural depression, natural elevation, natural object, object, organism, part, physical entity, piece,
    point, press, print media, product, relation, ridge, round shape, shape, signal, solid, sphere,
    spring, structure, substance, surface, system, visual signal, whole, work
    """
)

# How a catalogue sorts things by purpose, part or trade: nobody looks for a picture of a "fastener",
# and some would be read as another thing (the "pipe" is a panpipe, the "disk" a puck, "blind" a curtain).
CATALOGUE = _names(
    """
    accessory, acoustic device, adornment, airfoil, analog computer, apparatus, apparel, applicator, armor
    plate, astronomical telescope, attachment, attire, audio system, autoloader, automatic firearm,
    automatic rifle, baby bed, bar, basin, bath linen, beating-reed instrument, bedroom furniture, bin,
    blind, blower, board, bowed stringed instrument, brace, brake, brake system, breathing device, brush,
    building complex, canopy, case, chair of state, chordophone, circle, cistern, cleaning implement,
    clip, cloth covering, column, commodity, communication system, connection, consumer goods, control,
    converging lens, convertible, conveyance, cooker, cooking utensil, correctional institution, covering,
    craft, crockery, croquet equipment, cutter, cutting implement, data input device, defensive structure,
    device, digital computer, disguise, disk, dispenser, display, double-reed instrument, dressing, drill
    rig, drygoods, duplicator, durables, dwelling, edge tool, electrical device, electro-acoustic
    transducer, electronic device, electronic equipment, equipment, establishment, excavation, fabric,
    farm building, farm machine, fastener, filter, floor cover, framework, free-reed instrument,
    furnishing, game equipment, garment, gear, grate, gymnastic apparatus, hand glass, handwear,
    heavier-than-air craft, home appliance, housing, hydraulic brake, implement, institution, instrument,
    instrument of execution, instrumentality, jacket, key, kit, kitchen utensil, landing, lens, lever,
    lifting device, ligament, light, light microscope, lighter-than-air craft, linen, litter, machine,
    magnetic disk, magnifier, measuring instrument, measuring stick, mechanical device, medical
    instrument, memorial, memory device, mercantile establishment, meter, microscope, movable barrier,
    navigational instrument, neckwear, obstruction, office furniture, opener, optical device, optical
    instrument, outbuilding, outerwear, overgarment, package, padding, passenger van, penal institution,
    peripheral, personal computer, photographic equipment, piece of cloth, pin, pipe, place of business,
    plate, platform, pool, post, protective covering, protective garment, pump, rack, radiotelephone,
    receptacle, reflector, religious residence, reproducer, rescue equipment, reservoir, residence,
    restraint, ride, rig, rod, rotating mechanism, runner, safety belt, sandglass, satellite, savings
    bank, scientific instrument, screen, sea boat, seat, self-propelled vehicle, shade, sharpener, sheath,
    sheet, shelter, shield, shrine, signaling device, signboard, single-reed instrument, slot machine,
    small boat, source of illumination, sports implement, staff, stereo, stick, strengthener, strongbox,
    structural member, support, supporting structure, tank, telecommunication system, textile machine,
    tights, timer, top, tracked vehicle, transducer, trap, turner, upright, utensil, vessel, wall unit,
    ware, web, weight, wheeled vehicle, white goods, winder, woodenware, workplace, workwear, wrapping,
    writing implement
    """
)

# Ranks of the natural sciences for which everyday speech has no word, or only one below or above.
SCIENTIFIC = _names(
    """
    acarine, agamid, ambystomid, anapsid, angiosperm, anguid lizard, anseriform bird, anthozoan,
    anthropoid ape, apodiform bird, aquatic vertebrate, archosaur, baleen whale, basidiomycete, black
    mamba, bony fish, bovid, bovine, cartilaginous fish, cavy, ceratopsian, chelonian, chordate,
    coelenterate, colubrid snake, constrictor, coot, coraciiform bird, corvine bird, crocodilian reptile,
    cruciferous vegetable, cuculiform bird, cyprinid, cypriniform fish, danaid, decapod crustacean,
    diapsid, dictyopterous insect, dipterous insect, eared seal, eating apple, edentate, edible fruit,
    elapid, elasmobranch, English toy spaniel, equine, even-toed ungulate, food fish, gallinaceous bird,
    gallinule, ganoid, great ape, homopterous insect, hymenopterous insect, iguanid, kernel, lacertid
    lizard, lagomorph, lamellicorn beetle, lepidopterous insect, leporid, lesser ape, mackerel shark,
    malacostracan crustacean, merganser, metatherian, monitor, monotreme, mountain sheep, musteline
    mammal, neuropteron, nightingale, nymphalid, odd-toed ungulate, odonate, oilseed, Old World buffalo,
    ornithischian, orthopterous insect, oscine, pachyderm, passerine, pelagic bird, pelecaniform seabird,
    percoid fish, phalanger, phasianid, phasmid, piciform bird, pierid, pinniped mammal, pit viper,
    placental, plant organ, plant part, plectognath, pome, proboscidean, procyonid, prototherian, purple
    gallinule, rail, ratite, reproductive structure, requiem shark, ruminant, salmonid, saurian,
    scarabaeid beetle, scorpaenid, scorpaenoid, sea duck, soft-finned fish, solanaceous vegetable,
    spermatophyte, sphenisciform seabird, spiny-finned fish, stony coral, teiid lizard, teleost fish,
    toothed whale, tree squirrel, true frog, true lobster, vascular plant, venomous lizard, vertebrate,
    viverrine, wild sheep, wirehair
    """
)

# What a thing is used as or for, which a picture does not show and which can offend: every espresso
# would be a "drug", every poodle a "hunting dog", every bridegroom a "contestant".
ROLES = _names(
    """
    associate, concoction, contestant, course, cream, dip, drug, drug of abuse, entree, explorer, fare,
    feed, flavorer, fodder, foodstuff, game bird, hunting dog, ingredient, medicine, nutriment,
    participant, peer, player, powder, punch, racer, Sennenhunde, sporting dog, starches, toiletry, toy
    dog, watchdog, woman's clothing, working dog
    """
)

DROPPED = TOO_GENERAL | CATALOGUE | SCIENTIFIC | ROLES

# Terms that share their name with a kept one but mean what nobody expects under it.
DROPPED_SENSES = frozenset(
    {
        "n02152991",  # game: animals that are hunted
        "n02954938",  # cap: the lid of a bottle
        "n02955065",  # cap: the cover of a lens
        "n03206908",  # dish: crockery
        "n03956922",  # plant: a factory
        "n13899404",  # ball: a bubble
    }
)
