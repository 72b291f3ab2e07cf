"""Cross-scale graph pyramid network: encoder, decoder.

Attribute names (conv0, levels_enc, levels_dec, levels1, levels2) are those of the
released weights.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from Models.GCNs import XGN


class XGPN(nn.Module):
    """Pyramid of `num_levels` levels with strides 4, 8, ...

    in_channels: width of the features; channels: hidden width C; graph: GraphOptions, or
    None for a pyramid of plain convolutions.
    """

    def __init__(self, in_channels, channels, num_levels, graph):
        super().__init__()
        self.conv0 = conv_relu(in_channels, channels, stride=2)
        if graph is None:
            levels = (conv_relu(channels, channels, stride=2) for _ in range(num_levels))
        else:
            levels = (XGN(channels, channels, graph) for _ in range(num_levels))
        self.has_graph = graph is not None
        self.levels_enc = nn.ModuleList(levels)
        self.levels_dec = nn.ModuleList(upsample_relu(channels)
                                        for _ in range(num_levels - 1))
        self.levels1 = nn.ModuleList(conv_relu(channels, channels)
                                     for _ in range(num_levels))
        self.levels2 = nn.ModuleList(conv_relu(channels, channels)
                                     for _ in range(num_levels - 1))

    def forward(self, features: Tensor,
                second_copy: Tensor | None = None) -> list[Tensor]:
        """features: (B, D, T); second_copy: (B,) frames, as in `encode`.

        Returns the decoder's levels, coarse to fine, each (B, C, T / stride).
        """
        return self.decode(self.encode(features, second_copy))

    def encode(self, features: Tensor, second_copy: Tensor | None = None) -> list[Tensor]:
        """The encoder's levels, fine to coarse.

        second_copy: (B,) int64, first frame of a stitched item's magnified copy, T where
        an item is not stitched; None if none is.
        """
        num_frames, x, levels = features.shape[-1], self.conv0(features), []
        for level in self.levels_enc:
            if self.has_graph:
                cell = None if second_copy is None else second_copy * x.shape[-1] // num_frames
                x = level(x, cell)
            else:
                x = level(x)
            levels.append(x)
        return levels

    def decode(self, levels: Sequence[Tensor]) -> list[Tensor]:
        """The decoder's levels, coarse to fine, from the encoder's, fine to coarse."""
        *finer, x = levels
        decoded = [self.levels1[0](x)]
        for i, skip in enumerate(reversed(finer)):
            x = self.levels2[i](skip) + self.levels_dec[i](decoded[-1])
            decoded.append(self.levels1[i + 1](x))
        return decoded


def conv_relu(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    """Convolution of width 3 and a ReLU; the length is divided by `stride`."""
    return nn.Sequential(nn.Conv1d(in_channels, out_channels, 3, stride=stride, padding=1),
                         nn.ReLU(inplace=True))


def upsample_relu(channels: int) -> nn.Sequential:
    """Transposed convolution that doubles the length, and a ReLU."""
    return nn.Sequential(nn.ConvTranspose1d(channels, channels, 3, stride=2, padding=1,
                                            output_padding=1), nn.ReLU(inplace=True))
