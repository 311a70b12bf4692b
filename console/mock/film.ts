/** Cuts the fragmented film into its init segment and fragments, and moves fragments in time. */
import { readFileSync } from 'node:fs'

export interface Fragment {
  /** Start within the film, seconds. */
  start: number
  bytes: Buffer
}

export interface Film {
  codec: string
  init: Buffer
  timescale: number
  fragments: Fragment[]
}

interface Box {
  type: string
  start: number
  end: number
}

function* boxes(bytes: Buffer, from: number, to: number): Generator<Box> {
  for (let at = from; at + 8 <= to; ) {
    const size = bytes.readUInt32BE(at)
    yield { type: bytes.toString('latin1', at + 4, at + 8), start: at, end: at + size }
    at += Math.max(size, 8)
  }
}

function find(bytes: Buffer, path: string[], from = 0, to = bytes.length): Box {
  const [type, ...rest] = path
  const box = [...boxes(bytes, from, to)].find((candidate) => candidate.type === type)
  if (!box) throw new Error(`the film has no ${path.join('/')}`)
  return rest.length === 0 ? box : find(bytes, rest, box.start + 8, box.end)
}

const versionOf = (bytes: Buffer, box: Box) => bytes.readUInt8(box.start + 8)

export function readFilm(path: string): Film {
  const bytes = readFileSync(path)
  const top = [...boxes(bytes, 0, bytes.length)]
  const moov = find(bytes, ['moov'])
  const init = bytes.subarray(0, moov.end)
  const mdhd = find(bytes, ['moov', 'trak', 'mdia', 'mdhd'])
  const timescale = bytes.readUInt32BE(mdhd.start + (versionOf(bytes, mdhd) === 1 ? 28 : 20))
  const avcC = bytes.indexOf('avcC', moov.start, 'latin1') + 4
  const codec = `avc1.${bytes.toString('hex', avcC + 1, avcC + 4)}`
  const fragments = top.flatMap((box, index) => {
    const next = top[index + 1]
    if (box.type !== 'moof' || !next) return []
    const fragment = bytes.subarray(box.start, next.end)
    return [{ start: decodeTime(fragment) / timescale, bytes: fragment }]
  })
  return { codec, init, timescale, fragments }
}

const tfdtOf = (fragment: Buffer) => find(fragment, ['moof', 'traf', 'tfdt'])

function decodeTime(fragment: Buffer): number {
  const tfdt = tfdtOf(fragment)
  return versionOf(fragment, tfdt) === 1 ? Number(fragment.readBigUInt64BE(tfdt.start + 12)) : fragment.readUInt32BE(tfdt.start + 12)
}

/** The fragment as it is, but starting at `seconds` on the media clock. */
export function moveTo(film: Film, fragment: Fragment, seconds: number): Buffer {
  const moved = Buffer.from(fragment.bytes)
  const tfdt = tfdtOf(moved)
  const time = Math.round(seconds * film.timescale)
  if (versionOf(moved, tfdt) === 1) moved.writeBigUInt64BE(BigInt(time), tfdt.start + 12)
  else moved.writeUInt32BE(time, tfdt.start + 12)
  return moved
}
