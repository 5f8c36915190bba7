import type { TransportName } from '../connection.ts'
import { HTML, SCRIPT } from './http-answer.ts'
import type { SockjsEdition } from './sockjs-edition.ts'

/** How one HTTP transport wraps the frames of SockJS. */
export interface HttpFraming {
  readonly transport: TransportName
  readonly contentType: string
  /** Many frames in one response; false: the response ends with its first frame. */
  readonly isStream: boolean
  /** Whether the client names a function to call, as `c` or `callback` in the query. */
  readonly needsCallback: boolean
  /** What a stream begins with, before any frame; not counted against the limit of its bytes. */
  prelude(callback: string): string
  wrap(frame: string, callback: string): string
}

const none = (): string => ''
const line = (frame: string): string => `${frame}\n`

/** 2 KiB that make old browsers hand out what follows. */
const XHR_PRELUDE = `${'h'.repeat(2048)}\n`
const HTML_PRELUDE_CHARACTERS = 1024

/** A string literal that can stand inside a script element. */
function literal(frame: string): string {
  return JSON.stringify(frame).replaceAll('</', '<\\/').replaceAll('<!', '\\u003c!')
}

/** The page of `htmlfile`, whose scripts call the parent; its text is given by the protocol. */
function htmlPrelude(callback: string): string {
  const page = `<!doctype html>
<html><head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
</head><body><h2>Don't panic!</h2>
  <script>
    document.domain = document.domain;
    var c = parent.${callback};
    c.start();
    function p(d) {c.message(d);};
    window.onload = function() {c.stop();};
  </script>
`
  return `${page.padEnd(HTML_PRELUDE_CHARACTERS)}\r\n\r\n`
}

/** The last part of the path of a request that receives. */
export type ReceivingTransport = 'xhr' | 'xhr_streaming' | 'eventsource' | 'htmlfile' | 'jsonp'

/** The receiving transports by the last part of their path. */
export function httpFramings(edition: SockjsEdition): Readonly<Record<ReceivingTransport, HttpFraming>> {
  return {
    xhr: {
      transport: 'xhr',
      contentType: SCRIPT,
      isStream: false,
      needsCallback: false,
      prelude: none,
      wrap: line,
    },
    xhr_streaming: {
      transport: 'xhr-streaming',
      contentType: SCRIPT,
      isStream: true,
      needsCallback: false,
      prelude: () => XHR_PRELUDE,
      wrap: line,
    },
    eventsource: {
      transport: 'eventsource',
      contentType: edition.eventStreamType,
      isStream: true,
      needsCallback: false,
      prelude: () => '\r\n',
      wrap: frame => `data: ${frame}\r\n\r\n`,
    },
    htmlfile: {
      transport: 'htmlfile',
      contentType: HTML,
      isStream: true,
      needsCallback: true,
      prelude: htmlPrelude,
      wrap: frame => `<script>\np(${literal(frame)});\n</script>\r\n`,
    },
    jsonp: {
      transport: 'jsonp',
      contentType: SCRIPT,
      isStream: false,
      needsCallback: true,
      prelude: none,
      wrap: (frame, callback) => `${edition.jsonpStart}${callback}(${literal(frame)});\r\n`,
    },
  }
}

const CALLBACK = /^[a-zA-Z0-9_.-]{1,64}$/

/** The function a client asks to be called: its name, or why there is none. Only plain names, as they end up in a script. */
export function callbackOf(url: string): { readonly name: string } | { readonly fault: string } {
  const at = url.indexOf('?')
  const query = new URLSearchParams(at < 0 ? '' : url.slice(at + 1))
  const name = query.get('c') ?? query.get('callback') ?? ''
  if (name === '') return { fault: '"callback" parameter required' }
  return CALLBACK.test(name) ? { name } : { fault: 'invalid "callback" parameter' }
}
