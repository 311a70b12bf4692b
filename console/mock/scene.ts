/** A drawn building site: the pictures and the truth about who is in them, out of one function of time. */
import type { BoundingBox } from '../src/api/types'

export const sceneWidth = 960
export const sceneHeight = 540
/** The scene repeats after this long. */
export const loopSecs = 8

export interface Person {
  track: number
  helmet: boolean
  box: BoundingBox
  head: BoundingBox
}

const share = (x: number, y: number, w: number, h: number): BoundingBox => ({
  x: x / sceneWidth,
  y: y / sceneHeight,
  w: w / sceneWidth,
  h: h / sceneHeight,
})

/** Where everyone is at `time`; the loop closes, so that a looped film and these positions agree for ever. */
export function people(time: number): Person[] {
  const turn = ((time % loopSecs) / loopSecs) * 2 * Math.PI
  const walks = [
    { x: 260 + 120 * Math.sin(turn), y: 330 + 16 * Math.cos(turn), tall: 120, helmet: true },
    { x: 520 + 90 * Math.cos(turn + 1), y: 300 + 24 * Math.sin(turn + 1), tall: 104, helmet: false },
    { x: 720 + 60 * Math.sin(2 * turn + 2), y: 352 + 8 * Math.cos(turn), tall: 132, helmet: true },
  ]
  return walks.map((walk, index) => {
    const wide = walk.tall * 0.36
    const headSize = walk.tall * 0.2
    return {
      track: index + 1,
      helmet: walk.helmet,
      box: share(walk.x - wide / 2, walk.y, wide, walk.tall),
      head: share(walk.x - headSize / 2, walk.y - 2, headSize, headSize),
    }
  })
}

function figure(person: Person, vest: string): string {
  const x = (person.box.x + person.box.w / 2) * sceneWidth
  const y = person.box.y * sceneHeight
  const tall = person.box.h * sceneHeight
  const u = tall / 100
  return `<g transform="translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${u.toFixed(3)})">
<ellipse cx="0" cy="99" rx="20" ry="4" fill="#00000030"/>
<path d="M-9 55h8v43h-9zM2 55h8l1 43h-9z" fill="#33414f"/>
<rect x="-14" y="22" width="28" height="38" rx="7" fill="${vest}"/>
<path d="M-14 36h28v4h-28z" fill="#f4f1c9"/>
<path d="M-17 26h6v28h-6zM11 26h6v28h-6z" fill="${vest}"/>
<circle cx="0" cy="12" r="9" fill="#d9ae8b"/>
${person.helmet ? '<path d="M-10 10a10 10 0 0 1 20 0z" fill="#f2c037"/><rect x="-12" y="9" width="24" height="3" rx="1.5" fill="#e0ab1f"/>' : '<path d="M-9 10a9 9 0 0 1 18 0c-5-4-12-4-18 0z" fill="#2a211c"/>'}
</g>`
}

/** The picture at `time` as SVG; `variant` changes the light, so that cameras differ. */
export function picture(time: number, variant = 0): string {
  const sky = ['#b9cfdd', '#d6c7b2', '#8fa3b8', '#c5d3c8'][variant % 4] ?? '#b9cfdd'
  const ground = ['#b8a27f', '#a8977c', '#8c8577', '#b3a68a'][variant % 4] ?? '#b8a27f'
  const floors = Array.from(
    { length: 4 },
    (_, i) =>
      `<path d="M${90} ${250 - i * 52}h300v9h-300z" fill="#8d959b"/>${[100, 170, 240, 310, 376].map((x) => `<path d="M${x} ${207 - i * 52}h8v44h-8z" fill="#a3abb1"/>`).join('')}`,
  ).join('')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${sceneWidth} ${sceneHeight}" width="${sceneWidth}" height="${sceneHeight}">
<rect width="${sceneWidth}" height="${sceneHeight}" fill="${sky}"/>
<g stroke="#c9912f" stroke-width="5" fill="none"><path d="M600 270V40M520 62H860M600 40l-80 22M600 40l180 22"/><path d="M800 62v70" stroke-width="2"/></g>
<rect x="786" y="132" width="28" height="16" fill="#7b6a55"/>
${floors}
<path d="M0 259H${sceneWidth}V${sceneHeight}H0z" fill="${ground}"/>
<path d="M0 300L${sceneWidth} 270V288L0 322z" fill="#00000012"/>
<path d="M820 300h120v60H820z" fill="#5c7488"/><path d="M830 310h44v22h-44z" fill="#c9dbe6"/>
<g fill="#9a8a6c"><ellipse cx="110" cy="352" rx="90" ry="20"/><path d="M30 350q80-70 160 0z"/></g>
<g stroke="#d9822b" stroke-width="4"><path d="M380 470h260M380 490h260"/><path d="M384 460v44M636 460v44" stroke-width="6"/></g>
${people(time)
  .map((person, i) => figure(person, ['#e8632c', '#c8d24a', '#e8632c'][i] ?? '#e8632c'))
  .join('\n')}
</svg>`
}
