import type { OverlayBox } from './protocol'

const colours = { alarm: '#e5484d', helmet: '#35a26b', head: '#f0883e', other: '#4c8dc9' }

function colourOf(box: OverlayBox): string {
  if (box.alarm) return colours.alarm
  if (box.class === 'helmet') return colours.helmet
  return box.class === 'head' ? colours.head : colours.other
}

/** Draws boxes on a canvas that covers the picture; draws nothing anew when nothing was and is there. */
export function drawBoxes(canvas: HTMLCanvasElement, boxes: readonly OverlayBox[], label: (className: string) => string): void {
  const scale = window.devicePixelRatio || 1
  const width = Math.round(canvas.clientWidth * scale)
  const height = Math.round(canvas.clientHeight * scale)
  if (boxes.length === 0 && canvas.dataset.empty === 'true') return
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width
    canvas.height = height
  }
  const context = canvas.getContext('2d')
  if (!context) return
  context.clearRect(0, 0, width, height)
  canvas.dataset.empty = String(boxes.length === 0)
  const fontPx = Math.max(11, Math.min(15, canvas.clientWidth / 60)) * scale
  context.font = `${fontPx}px "Noto Sans SC", "Noto Sans CJK SC", sans-serif`
  context.textBaseline = 'middle'
  for (const box of boxes) {
    const { x, y, w, h } = box.bbox
    const colour = colourOf(box)
    context.strokeStyle = colour
    context.lineWidth = (box.alarm ? 2.5 : 1.5) * scale
    context.strokeRect(x * width, y * height, w * width, h * height)
    // Words where they matter: on what alarms; a person's number where there is room. Heads and helmets
    // lie on their persons and would cover those words.
    const isPart = box.class === 'helmet' || box.class === 'head'
    if (!box.alarm && (isPart || canvas.clientWidth < 480)) continue
    const text = box.alarm ? label(box.class) : `#${box.track}`
    const textWidth = context.measureText(text).width + 8 * scale
    const lineHeight = fontPx * 1.4
    const top = y * height >= lineHeight ? y * height - lineHeight : y * height
    context.fillStyle = colour
    context.fillRect(x * width - scale, top, textWidth, lineHeight)
    context.fillStyle = '#fff'
    context.fillText(text, x * width + 3 * scale, top + lineHeight / 2)
  }
}
