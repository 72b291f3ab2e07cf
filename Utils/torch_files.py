"""Torch files from others: of what torch.load accepts, only what torch.save writes."""

import zipfile

from Utils.files import UserError


def check_uncompressed(path):
    """Refuse a compressed zip: torch.save writes none, and a small one may fill the memory."""
    with zipfile.ZipFile(path) as parts:
        if any(part.compress_type != zipfile.ZIP_STORED for part in parts.infolist()):
            raise UserError(f"{path} is compressed, which torch.save never does; save "
                            "it again with torch.save")


def check_solid(tensor, place):
    """Refuse a tensor that repeats a few values: a small file with one may fill the memory."""
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise UserError(f"{place}: a tensor of shape {tuple(tensor.shape)} repeats the "
                        "same values; save tensor.clone() instead")
