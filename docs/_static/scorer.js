// Pages that were written for a reader come before pages that list everything
const rooms = {get_started: 20, howto: 20, concepts: 20, methods: 20, about: 20, tutorials: 15, papers: 8, notebooks: -4}
var Scorer = {
  score: ([docname, title, anchor, descr, score]) =>
    score + (['about/changelog', 'about/gallery', 'about/deprecations'].includes(docname) ? -4 : rooms[docname.split('/')[0]] || 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: {0: 15, 1: 5, 2: -5},
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
}
