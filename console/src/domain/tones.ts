import type { EventState, Severity, StreamState } from '@/api/types'
import type { Tone } from '@/ui/StatusDot.vue'

export const severityTone: Record<Severity, Tone> = { red: 'red', orange: 'orange', yellow: 'yellow' }

export const eventStateTone: Record<EventState, Tone> = {
  pending: 'red',
  confirmed: 'orange',
  dispatched: 'accent',
  in_progress: 'accent',
  in_review: 'yellow',
  closed: 'green',
  false_alarm: 'grey',
  duplicate: 'grey',
  ignored: 'grey',
}

export const streamStateTone: Record<StreamState | 'unknown', Tone> = {
  online: 'green',
  connecting: 'yellow',
  unreachable: 'red',
  unauthorised: 'red',
  not_found: 'red',
  no_frames: 'orange',
  decode_error: 'orange',
  unsupported: 'orange',
  interrupted: 'orange',
  unknown: 'grey',
}
