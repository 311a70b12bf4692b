import type { Ref } from 'vue'
import { commandFor, type Command, type Mode } from './keyboard'

/** Turns key presses on the page into commands; what is meant for a field, a button or an open dialogue is left to it. */
export function useKeys(mode: Ref<Mode>, run: (command: Command) => void) {
  return (press: KeyboardEvent) => {
    const target = press.target instanceof HTMLElement ? press.target : null
    const isBox = target instanceof HTMLInputElement && target.type === 'checkbox'
    const control = isBox ? null : target?.closest('input, textarea, select, [contenteditable], [role="combobox"], [role="dialog"]')
    const button = press.key === 'Enter' || press.key === ' ' ? target?.closest('button, a, video, input') : null
    const command = commandFor(mode.value, {
      key: press.key,
      modified: press.ctrlKey || press.altKey || press.metaKey,
      shift: press.shiftKey,
      typing: Boolean((mode.value !== 'help' && control) || button),
    })
    if (!command || (command.kind === 'mark-all' && press.altKey)) return
    press.preventDefault()
    run(command)
  }
}
