import type { FastifyInstance } from 'fastify'

/** Answers which methods a path has, for `Allow`; empty for a path that is not there. */
export type AllowedMethods = (path: string) => readonly string[]

/** Watches the routes that are added from now on. */
export function allowedMethods(app: FastifyInstance): AllowedMethods {
  const routes: { readonly segments: readonly string[]; readonly methods: readonly string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    if (url.includes('*')) return
    routes.push({ segments: url.split('/'), methods: [method].flat() })
  })
  return path => {
    const segments = path.split('/')
    const found = routes.filter(route => matches(route.segments, segments)).flatMap(route => route.methods)
    return found.length === 0 ? [] : [...new Set([...found, 'OPTIONS'])].sort()
  }
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false
  return pattern.every((part, index) =>
    part.startsWith(':') ? segments[index] !== '' : part === segments[index],
  )
}
