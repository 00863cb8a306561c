"""Words that turn a statement round: no, all, before, more, accept, must, Monday, three.

Two texts that say the same use the same cues equally often, or so we demand: a cue lost in a
paraphrase costs one call, a cue overlooked makes a wrong answer. Similarity is blind to them: "is
not allowed" scores 0.94 against "is allowed" (llm.md 4).

English, German, French, Spanish. `*` ends a stem: `increas*` is increase, increased, increasing. A
word that is a cue in one language and harmless in another is counted all the same, on both sides.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from types import MappingProxyType

NOT = "not"

CUES: Mapping[str, str] = MappingProxyType(
    {
        NOT: "not no nor never none nobody nothing neither nowhere without cannot cant dont doesnt "
        "didnt isnt arent wasnt werent wont wouldnt couldnt shouldnt hasnt havent hadnt mustnt "
        "hardly barely scarcely lack* non nicht nichts kein* nie niemals niemand* nirgends "
        "nirgendwo weder ohne nein kaum ne n pas jamais rien aucun* nul nulle nullement ni sans "
        "guère nunca jamás nada nadie ningún ningun* tampoco sin "
        # The neighbours, should one of them pass for one of the four.
        "né mai nessun* niente senza não nem nenhum* sem niet geen nooit zonder ikke inte ingen",
        "no longer": "anymore longer still yet mehr noch plus más ya todavía aún toujours encore",
        "all": "all every everyone everybody everything each both whole entire* complete* fully "
        "full alle alles allen aller jed* beide* ganz* vollständig* völlig tout toute tous toutes "
        "chaque entièrement complet* todo todos toda todas cada ambos ambas",
        "some": "some several partial* partly einige* manche* teils teilweise quelque* certains "
        "certaines partiel* algún alguno* alguna* varios varias parcial*",
        "most": "most mostly largely majority meist* mehrheit plupart majorité mayoría",
        "few": "few little rare* seldom wenig* selten peu rarement poco* poca*",
        "many": "many much lots viel* beaucoup nombreu* mucho* mucha*",
        "only": "only just merely solely alone nur allein* lediglich bloß ausschließlich seul* "
        "uniquement solo sólo solamente únicamente",
        "except": "except* excluding besides außer ausgenommen sauf excepté excepto salvo",
        "unless": "unless sofern moins menos",
        "if": "if whether provided assuming falls wenn ob si",
        "always": "always immer stets siempre",
        "sometimes": "sometimes occasionally often manchmal oft parfois souvent veces",
        "before": "before earlier prior previous* until till vor vorher bevor früher bis avant "
        "antes",
        "after": "after afterwards later subsequent* since nach nachher nachdem später seit après "
        "ensuite depuis después luego desde",
        "now": "now immediately today currently jetzt sofort heute derzeit maintenant "
        "immédiatement aujourd ahora inmediatamente hoy",
        "tomorrow": "tomorrow morgen demain mañana",
        "yesterday": "yesterday gestern hier ayer",
        "more": "more additional* extra further greater zusätzlich* davantage",
        "less": "less fewer weniger minder moindre",
        "at least": "least minimum minimal* mindest* wenigstens mínim*",
        "at most": "maximum maximal* höchst* máxim*",
        "up": "up increas* rise* rose rising grow* grew raise* higher above exceed* over gain* "
        "steig* stieg* erhöh* wachs* wuchs* über augment* hausse monte* dépass* aument* sube suben "
        "subió subir crec*",
        "down": "down decreas* drop* fall fell fallen falling reduc* lower* below under shrink* "
        "sink* sank* senk* gefallen verringer* unter dimin* baiss* réduc* rédui* dismin* baja*",
        "yes": "yes accept* approv* agree* confirm* grant* allow* permit* permission ok okay ja "
        "annehm* angenommen akzeptier* genehmig* zugestimmt bestätig* erlaub* oui autoris* permet* "
        "permis sí acept* aprob* aprueb* autoriz*",
        "refuse": "reject* deny denies denied denial refus* declin* disapprov* disagree* forbid* "
        "forbade prohibit* block* ban bans banned ablehn* abgelehnt verweiger* verbiet* verboten "
        "untersag* rejet* interdi* rechaz* negar niega* prohíb*",
        "start": "start* begin* began begun open* resum* launch* activ* enabl* öffn* begonnen "
        "aktivier* ouvr* ouvert* commenc* abre* abrir abiert* empez* inici*",
        "stop": "stop* end ends ended ending ceas* clos* terminat* cancel* abort* halt* suspend* "
        "deactiv* inactive disabl* off beend* schließ* geschlossen kündig* gekündigt storn* "
        "deaktivier* ferm* arrêt* annul* résili* désactiv* cerr* anul* desactiv*",
        "add": "add adds added adding includ* attach* insert* keep* kept hinzu* behalt* ajout* "
        "inclu* garder gardez añad* agreg*",
        "remove": "remov* exclud* delet* eras* discard* entfern* lösch* gelöscht suppr* retir* "
        "efface* exclu* elimin* borr*",
        "give": "give* gave send sends sent sending pay* paid sell* sold lend* lent owe* credit* "
        "geben gibt gab gegeben sendet gesendet zahl* bezahl* verkauf* donn* envoi* envoy* "
        "vendre vendu envía envió enviar enviado paga pagar pagó vende vender",
        "take": "take* took receiv* buy* bought borrow* charg* debit* collect* nehm* nimmt nahm "
        "erhalt* erhält kauf* gekauft prend* pris reçoi* reçu* achet* recib* compra comprar "
        "compró cobr*",
        "succeed": "succe* pass passes passed wins won valid* correct* right true safe* erfolg* "
        "bestanden gewonnen gültig* richtig* wahr sicher* réuss* gagn* vrai* éxito* verdad*",
        "fail": "fail* lose loses lost losing loss wrong* incorrect* false error* danger* "
        "unsafe fehl* gescheitert verloren falsch* gefährlich* échou* échec perd* faux fausse "
        "equivoc* peligr*",
        "same": "same equal* identical alike similar* gleich* identisch* même* égal* mism* igual*",
        "different": "differ* unlike other another opposite ander* unterschied* verschieden* "
        "autre* otro* otra* distint*",
        "first": "first* former erste* zuerst premier* première* primer*",
        "last": "last final* latter letzt* dernier* dernière* últim*",
        "good": "good better best well gut* besser* bon bonne* mieux meilleur* buen* mejor*",
        "bad": "bad badly worse worst poor* schlecht* schlimm* mauvais* pire* mal malo* peor*",
        "left": "left linke* links gauche izquierd*",
        "right hand": "rechts rechte* droite derecha",
        "must": "must shall need* required requires mandatory muss müssen pflicht* doit doivent "
        "devez devons debe deben obligatori*",
        "should": "should ought recommend* soll* devriez devrait debería*",
        "may": "may might could can possibly perhaps maybe optional* probabl* likely darf dürfen "
        "kann können könn* möglich* vielleicht peut peuvent pouv* puede* podr* quizá* posible*",
        "will": "will going ll wird werden va vont vais van voy",
        "high": "high hoch hohe* haut* élev* alto* alta*",
        "low": "low niedrig* tief* bas basse* bajo*",
        "against": "against gegen contre contra",
    }
)
"""Stems by what they say. Synonyms share a cue, so a paraphrase may exchange them."""

_COUNTED = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety "
    "hundred thousand million billion dozen half quarter double triple once twice second third "
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf zwanzig dreißig hundert "
    "tausend millionen milliarden dutzend halb halbe doppelt einmal zweimal zweite dritte "
    "zéro deux trois quatre cinq sept huit neuf dix onze douze quinze vingt trente cent mille "
    "millions milliard douzaine moitié deuxième troisième cero dos tres cuatro cinco siete ocho "
    "nueve diez doce veinte treinta cien mil millón millones docena mitad doble segundo tercero "
    "tercera "
    "monday tuesday wednesday thursday friday saturday sunday weekday weekend montag dienstag "
    "mittwoch donnerstag freitag samstag sonntag lundi mardi mercredi jeudi vendredi samedi "
    "dimanche lunes martes miércoles jueves viernes sábado domingo "
    "january february march april june july august september october november december januar "
    "februar märz juni juli oktober dezember janvier février mars avril juin juillet août "
    "septembre octobre novembre décembre enero febrero marzo abril mayo junio julio agosto "
    "septiembre octubre noviembre diciembre "
    "seconds minute minutes hour hours day days week weeks month months year years daily weekly "
    "monthly yearly annual hourly stunde stunden tag tage tagen woche wochen monat monate monaten "
    "jahr jahre jahren heure heures jour jours semaine semaines mois année années ans hora horas "
    "día días semana semanas mes meses año años north south east west morning noon evening night "
    "midnight out from "
    "why how when where who whom whose warum wieso wer wann wo wohin pourquoi comment combien "
    "quand où quién cuándo dónde cuánto"
)

COUNTED_AS_THEMSELVES = frozenset(_COUNTED.split())
"""Numbers in words, days, months, spans of time, questions: each must stay what it is."""

PERSONS: Mapping[str, str] = MappingProxyType(
    {
        "I": "i me my mine myself ich mich mir mein* je j moi mon ma yo mi mis mí",
        "we": "we us our ours wir uns unser* nous notre nos nosotros nuestr*",
        "you": "you your yours yourself du dich dir dein* ihr euch euer* vous votre vos tu te toi "
        "tú ti usted ustedes",
        "he": "he him his er ihm ihn il él",
        "she": "she her hers elle ella",
        "they": "they them their theirs ihnen ils elles leur leurs ellos ellas",
    }
)


def cues_in(words: Iterable[str]) -> Counter[str]:
    """How often each cue occurs among words in lower case."""
    found: Counter[str] = Counter()
    for word in words:
        if word.endswith("n't"):
            found[NOT] += 1
            continue
        for piece in _PARTS.split(word):
            found.update(_CUES.labels(piece))
            if piece in COUNTED_AS_THEMSELVES:
                found[piece] += 1
    return found


def persons_in(words: Iterable[str]) -> frozenset[str]:
    """Who is spoken of by a pronoun."""
    pieces = (piece for word in words for piece in _PARTS.split(word))
    return frozenset(label for piece in pieces for label in _PERSONS.labels(piece))


class _Stems:
    """Finds the labels of a word: by the word as it is, and by each stem that it begins with."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self._labels: defaultdict[str, list[str]] = defaultdict(list)
        for label, stems in table.items():
            for stem in stems.split():
                self._labels[stem].append(label)
        self._longest = max(map(len, self._labels))

    def labels(self, word: str) -> frozenset[str]:
        ends = range(2, min(len(word), self._longest) + 1)
        keys = (word, *(f"{word[:end]}*" for end in ends))
        return frozenset(label for key in keys for label in self._labels.get(key, ()))


# "n'est", "qu'il", "we'll", "non-refundable".
_PARTS = re.compile(r"['-]")
_CUES = _Stems(CUES)
_PERSONS = _Stems(PERSONS)
