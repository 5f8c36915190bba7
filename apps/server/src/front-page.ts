import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { HttpTakeover } from '@sgs-chat/http'

const HTML = new URL('../public/index.html', import.meta.url)

/** The page at `/`: chats in a browser, with nothing from anywhere else. */
export function frontPage(): HttpTakeover {
  const html = readFileSync(HTML)
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-length': html.length,
    'cache-control': 'no-cache',
    'content-security-policy': policyFor(html.toString('utf8')),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  }
  return {
    handleRequest(request, response) {
      const path = request.url?.split('?', 1)[0]
      if (path !== '/' || (request.method !== 'GET' && request.method !== 'HEAD')) return false
      response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : html)
      return true
    },
  }
}

/** Exactly the page's own script and style, and connections to this server. */
function policyFor(html: string): string {
  return [
    "default-src 'none'",
    `script-src ${hashOf(html, 'script')}`,
    `style-src ${hashOf(html, 'style')}`,
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

function hashOf(html: string, element: 'script' | 'style'): string {
  const inner = new RegExp(`<${element}>([^]*?)</${element}>`).exec(html)?.[1]
  if (inner === undefined) throw new Error(`the page has no ${element}`)
  return `'sha256-${createHash('sha256').update(inner).digest('base64')}'`
}
