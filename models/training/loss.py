"""The YOLOX head with a loss that forgives what a picture does not label.

Sets label different classes, and pseudo-labels leave doubtful boxes. Both are *ignore regions*: a
class and a rectangle. An anchor that no labelled object claimed is normally pushed towards "no
object"; inside an ignore region it is left alone when the class it leans to is the region's class.
A class that a picture does not label at all is an ignore region as large as the picture.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from yolox.models import YoloxHead

from .config import ANY_CLASS

_BOX_WEIGHT = 5.0


class MaskedHead(YoloxHead):
    """A YOLOX head; in training, `labels` is the pair (boxes, ignore regions).

    Boxes are `B x N x 5` (class, centre x, centre y, width, height) and regions `B x M x 5`
    (class or `ANY_CLASS`, x1, y1, x2, y2), both in input pixels and padded with rows of zero area.
    """

    def forward(self, xin, labels=None, imgs=None):
        """Returns predictions in evaluation, a dict of losses in training."""
        if not self.training:
            return super().forward(xin)
        boxes, ignore = labels
        levels, shifts, strides = [], [], []
        for k, x in enumerate(xin):
            stem = self.stems[k](x)
            cls_feature, reg_feature = self.cls_convs[k](stem), self.reg_convs[k](stem)
            raw = torch.cat(
                [
                    self.reg_preds[k](reg_feature),
                    self.obj_preds[k](reg_feature),
                    self.cls_preds[k](cls_feature),
                ],
                1,
            )
            # The network may run in bfloat16; box arithmetic needs the full mantissa.
            raw = raw.float().contiguous()
            decoded, grid = self.get_output_and_grid(raw, k, self.strides[k], raw.type())
            levels.append(decoded)
            shifts.append(grid)
            strides.append(torch.full((1, grid.shape[1]), float(self.strides[k])))
        grid = torch.cat(shifts, 1)
        stride = torch.cat(strides, 1).to(grid.device)
        return self._losses(torch.cat(levels, 1), grid, stride, boxes, ignore)

    def _losses(self, outputs, grid, stride, boxes, ignore):
        predicted, objectness, classes = outputs[..., :4], outputs[..., 4:5], outputs[..., 5:]
        counts = (boxes[..., 3] > 0).sum(1).tolist()
        iou_sum = cls_sum = obj_sum = outputs.sum() * 0.0
        positives = 0
        centres = (grid[0] + 0.5) * stride[0, :, None]
        for b, count in enumerate(counts):
            claimed = torch.zeros(outputs.shape[1], dtype=torch.bool, device=outputs.device)
            if count:
                truth = boxes[b, :count]
                matched_class, claimed, iou, matched, found = self.get_assignments(
                    b, count, truth[:, 1:], truth[:, 0], predicted[b].detach(), stride,
                    grid[..., 0], grid[..., 1], classes.detach(), objectness.detach(),
                )  # fmt: skip
                positives += found
                if found:
                    iou_sum = (
                        iou_sum + self.iou_loss(predicted[b][claimed], truth[matched, 1:]).sum()
                    )
                    target = F.one_hot(matched_class.long(), self.num_classes) * iou[:, None]
                    cls_sum = cls_sum + F.binary_cross_entropy_with_logits(
                        classes[b][claimed], target, reduction="sum"
                    )
            weight = self._keep(centres, classes[b].detach(), ignore[b]) | claimed
            obj_sum = obj_sum + F.binary_cross_entropy_with_logits(
                objectness[b, :, 0], claimed.float(), weight=weight.float(), reduction="sum"
            )
        scale = 1.0 / max(positives, 1)
        box, obj, cls = _BOX_WEIGHT * iou_sum * scale, obj_sum * scale, cls_sum * scale
        return {
            "total": box + obj + cls,
            "box": box,
            "obj": obj,
            "cls": cls,
            "positives": positives,
        }

    @staticmethod
    def _keep(centres, classes, regions):
        """Says for each anchor whether "no object" may be demanded of it."""
        regions = regions[regions[:, 3] > regions[:, 1]]
        if not len(regions):
            return torch.ones(len(centres), dtype=torch.bool, device=centres.device)
        x, y = centres[:, :1], centres[:, 1:]
        inside = (x > regions[:, 1]) & (x < regions[:, 3])
        inside &= (y > regions[:, 2]) & (y < regions[:, 4])
        leaning = classes.argmax(1, keepdim=True)
        same = (leaning == regions[:, 0]) | (regions[:, 0] == ANY_CLASS)
        return ~(inside & same).any(1)
