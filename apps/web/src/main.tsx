import { render } from 'preact'
import { App } from './app.tsx'
import { keepPreferences } from './preferences.ts'
import { followRoute } from './route.ts'
import { hurryReconnects } from './session.ts'

keepPreferences()
followRoute()
hurryReconnects()
const root = document.getElementById('app')
if (root !== null) render(<App />, root)
