/** Windowing of long lists whose rows are all equally high: only what is near the view is drawn. */
import { computed, onMounted, onUnmounted, ref, type Ref } from 'vue'

export interface View {
  /** First row to draw. */
  start: number
  /** One past the last row to draw. */
  end: number
}

/** The rows to draw for a scroll position; `spare` rows beyond each edge hide the seam while scrolling. */
export function windowOf(scrollTop: number, height: number, rowHeight: number, count: number, spare = 8): View {
  const first = Math.floor(Math.max(0, scrollTop) / rowHeight)
  const last = Math.ceil((Math.max(0, scrollTop) + height) / rowHeight)
  const end = Math.min(count, last + spare)
  return { start: Math.max(0, Math.min(first - spare, end)), end }
}

/** The scroll position that brings a row into view with the least movement. */
export function scrollTo(index: number, scrollTop: number, height: number, rowHeight: number): number {
  const top = index * rowHeight
  if (top < scrollTop) return top
  if (top + rowHeight > scrollTop + height) return top + rowHeight - height
  return scrollTop
}

/** Follows an element's scroll position and height. */
export function useWindow(scroller: Readonly<Ref<HTMLElement | null>>, rowHeight: Ref<number>, count: Ref<number>) {
  const top = ref(0)
  const height = ref(800)
  const measure = () => {
    const element = scroller.value
    if (!element) return
    top.value = element.scrollTop
    height.value = element.clientHeight || height.value
  }
  const observer = new ResizeObserver(measure)
  onMounted(() => {
    if (scroller.value) observer.observe(scroller.value)
    measure()
  })
  onUnmounted(() => observer.disconnect())
  const view = computed(() => windowOf(top.value, height.value, rowHeight.value, count.value))
  return { view, measure }
}
