"""Which of WordNet's general terms are no labels: names that a person would not use for a picture.

Only general terms are left out, never a class: what the classifier was taught to see is always worth
saying. A class may share its name with a term below (a racing car and a running animal are both
"racer"); the class keeps the name then, and the term stays away.
"""

from __future__ import annotations


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
