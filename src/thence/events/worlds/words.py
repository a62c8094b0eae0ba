"""The words from which catalogues are made: departments, devices, what goes with them, and invented names."""

from __future__ import annotations

import numpy as np

DEPARTMENTS = ["Electronics", "Kitchen", "Garden", "Sports", "Home", "Toys", "Music", "Pets"]

# one row a department, five devices each: category c is device c // 8 of department c % 8
DEVICES = [
    ["Phone", "Laptop", "Camera", "Tablet", "Headset"],
    ["Espresso Machine", "Blender", "Stand Mixer", "Toaster", "Rice Cooker"],
    ["Lawn Mower", "Grill", "Hedge Trimmer", "Pressure Washer", "Chainsaw"],
    ["Road Bike", "Tennis Racket", "Tent", "Kayak", "Treadmill"],
    ["Vacuum", "Printer", "Sewing Machine", "Desk Lamp", "Air Purifier"],
    ["Train Set", "Drone", "Dollhouse", "Game Console", "Telescope"],
    ["Guitar", "Keyboard", "Violin", "Drum Kit", "Turntable"],
    ["Aquarium", "Dog Crate", "Cat Tree", "Terrarium", "Bird Cage"],
]

KINDS_OF_DEVICE = [
    "Compact", "Travel", "Professional", "Junior", "Outdoor", "Studio", "Classic", "Electric", "Foldable",
    "Cordless", "Smart", "Vintage", "Heavy Duty", "Portable", "Silent", "Solar", "Racing", "Mini", "Family",
    "Industrial",
]  # fmt: skip

ACCESSORIES = [
    "Case", "Charger", "Cover", "Stand", "Bag", "Strap", "Mount", "Cable", "Holder", "Cleaning Kit", "Tool Set",
    "Adapter", "Remote", "Lid", "Rack",
]  # fmt: skip

CONSUMABLES = ["Refill", "Cartridge", "Cleaner", "Battery", "Filter", "Wipes", "Oil", "Spare Parts"]

ATTRIBUTES = [
    "Black", "White", "Silver", "Red", "Blue", "Green", "Small", "Large", "Steel", "Leather", "2-Pack", "Matte",
    "Grey", "Oak", "Clear", "XL",
]  # fmt: skip

_HEADS = ["Ka", "Lo", "Mi", "Ve", "Zo", "Ra", "Ti", "Nu", "Be", "Sol", "Fen", "Dor", "Al", "Qui", "Har", "Jun"]
_TAILS = ["ran", "vex", "lia", "mont", "dex", "nor", "tica", "bel", "sano", "ver", "kon", "rum", "phy", "gal"]


def invented(count: int, salt: int) -> np.ndarray:
    """``[count]`` distinct invented names; lists of different ``salt`` share none of the first few thousand.

    Example:
        >>> invented(3, salt=0).tolist()
        ['Karan', 'Lovex', 'Milia']
    """
    heads, tails = len(_HEADS), len(_TAILS)
    whole = heads * tails
    names = []
    for k in range(count):
        place = k % whole
        head, tail = place % heads, (place // heads + place + 5 * salt) % tails
        middle = "" if salt == 0 else "aeiou"[salt % 5]
        number = f" {k // whole + 1}" if k >= whole else ""
        names.append(f"{_HEADS[head]}{middle}{_TAILS[tail]}{number}")
    return np.array(names, dtype=object)
