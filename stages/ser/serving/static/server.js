// What the parts of the page import from the module of this name: here there is no server, only refusals.

export class Refused extends Error {}
