import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const virtualId = 'virtual:licences'

/** Offers the run-time dependencies with version and licence as a module, for the "about" page. */
export function licences() {
  const root = new URL('..', import.meta.url)
  const read = (path) => JSON.parse(readFileSync(fileURLToPath(new URL(path, root)), 'utf8'))
  return {
    name: 'gongshao-licences',
    resolveId: (id) => (id === virtualId ? `\0${virtualId}` : undefined),
    load(id) {
      if (id !== `\0${virtualId}`) return undefined
      const own = read('package.json')
      const packages = Object.keys(own.dependencies).map((name) => {
        const { version, license } = read(`node_modules/${name}/package.json`)
        return { name, version, licence: license }
      })
      return `export const version = ${JSON.stringify(own.version)}\nexport const packages = ${JSON.stringify(packages)}`
    },
  }
}
