# ruff: noqa: E501 - a pattern is not broken
"""By what orders to a bot are known: phrases in Spanish, English and Portuguese, and what each of them weighs. Pure.

A list of phrases never ends. It is long enough for what is copied from the net, and no protection against more.
"""

import re
from typing import NamedTuple

_BOT = r"(?:supportbot|chat ?bot|bot|robot?|asistente|assistente|assistant|i\.?a|a\.?i|chatgpt|gpt-?\d?|claude|gemini|llm|modelo de lengua\w+|modelo de lingua\w+|language model|clasificador|classificador|classifier|inteligencia artificial|artificial intelligence)"
_RULES = r"(?:ins?tru[ck]?c?[cst]\w*|prompts?|re[gj]las|regras|rules|directri\w+|diretri\w+|lineamientos|indicaciones|guidelines|directives|restri[ck]\w+|programacion|programming|entrenamiento|training|politicas|filtros|filters)"
_DROP = r"(?:ign[o0]r\w*|ingor\w*|olvid\w*|omit[ea]\w*|salta(?:te)?|descart\w*|desestim\w*|haz caso omiso(?: de)?|no (?:sigas|obedezcas|hagas caso)|disregard\w*|forget\w*|overrid\w*|bypass\w*|skip|do not (?:follow|obey)|don'?t (?:follow|obey)|stop following|esquec\w*|desconsider\w*|desobede\w*|nao sig\w*|pul[ea])"
_OWNED = r"(?:anterior\w*|previ\w*|prior|above|de arriba|acima|tus?|your|suas?|teu|del? (?:sistema|bot|prompt|modelo)|d[oa] (?:sistema|bot|prompt)|all|todas|cualquier|any|every|system|original\w*|inicia\w+|que te|that you|dadas|given|iniciais|internas|ocultas|hidden|initial)"
_SAY = r"(?:muestr\w*|mostr\w*|ensena\w*|reve\w*|dime|di|cual(?:es)? (?:es|son)|repi[tr]\w*|repeat|imprim[ea]\w*|escrib\w*|copia\w*|traduc\w*|translate|resum\w*|show|print|output|tell|what(?:'s| is| are| were)|display|leak|list|lista|summari[sz]e|diga|quais sao|qual e|pon|put|coloque)"
_MAKE = r"(?:abre|abra|abran|crea|cree|creen|crie|criem|gera|gere|genera|genere|haz|registra|registre|levanta|open|create|make|raise|file|generate|submit)"
_TICKET = (
    r"(?:tickets?|tiquetes?|t1ck3ts|incidencias?|incidentes?|incidents?|chamados?|casos?|cases?|issues?|reportes?)"
)
_MANY = r"(?:[5-9]|\d{2,5}|cien|ciento|mil|miles|cientos|decenas|veinte|treinta|cincuenta|diez|hundreds?|thousands?|twenty|fifty|ten|one hundred|vinte|cinquenta|dez|cem|infinit\w+)"
_ALL = r"(?:todas?|todos|tod[oa]s? (?:los|las|os|as)|every\w*|all|cada|each|cualquier|any\w*|ningun\w*|toda|qualquer)"


class Sign(NamedTuple):
    """A pattern for a text without accents, in lower case, with single spaces."""

    name: str
    weight: float
    """1 flags alone; less needs a second sign."""
    pattern: re.Pattern[str]


def _sign(name: str, weight: float, pattern: str) -> Sign:
    return Sign(name, weight, re.compile(pattern))


SIGNS = (
    _sign(
        "override", 1.0, rf"(?<!\w){_DROP}(?!\w)[^.\n]{{0,40}}(?<!\w){_OWNED}(?!\w)[^.\n]{{0,25}}(?<!\w){_RULES}(?!\w)"
    ),
    _sign(
        "override", 1.0, rf"(?<!\w){_DROP}(?!\w)[^.\n]{{0,25}}(?<!\w){_RULES}(?!\w)[^.\n]{{0,25}}(?<!\w){_OWNED}(?!\w)"
    ),
    _sign(
        "override_weak", 0.6, rf"(?<!\w){_DROP} (?:las?|los?|as?|os?|the|these|those|mis|estas|esas)? ?{_RULES}(?!\w)"
    ),
    _sign(
        "forget_all",
        0.7,
        r"(?<!\w)(?:ignore|disregard|forget|ignora|olvida|esquec\w+|desconsidere) (?:everything|all|anything|todo|tudo|lo)(?: \w+){0,6} (?:above|before|prior|previous|anterior|de arriba|acima|dij\w+|told|disseram|reporte\w*)",
    ),
    _sign(
        "forget_all",
        1.0,
        r"(?<!\w)(?:ignore|disregard|forget|ignora|olvida|esquec\w+)(?: \w+){1,4} (?:you were told|you have been told|te dijeron|te han dicho|te disseram|te ensinaram|te ensenaron)",
    ),
    _sign("squeezed", 1.0, r"(?:ignor|olvid|forget|disregard|esquec)\w{0,24}(?:instru|reglas|rules|regras|prompt)"),
    _sign(
        "no_rules",
        1.0,
        r"(?<!\w)(?:sin|sem|no|without|unrestricted|ningun\w*|tienes|tiene) ?(?:restricciones|restricoes|restrictions|filtros|filters|limites|limits|reglas|regras|rules)(?!\w)(?! (?:de|of|para|for|del))",
    ),
    _sign(
        "tag",
        1.0,
        r"<\|[\w /]{2,20}\|>|\[/?(?:inst|system)\]|<<\s?/?sys\s?>>|</?(?:system|sistema|instructions?|prompt|turn|data|user|assistant)>",
    ),
    _sign("tag", 1.0, r"#{2,} ?(?:system|sistema|instruc\w+|instruction\w*|assistant|asistente|prompt)"),
    _sign(
        "role",
        1.0,
        r"(?:^|\n|[.;]\s)\s*(?:assistant|system (?:message|prompt|override|note)|mensaje del? sistema|mensagem d[eo] sistema|developer message|admin override)\s*[:!]",
    ),
    _sign("role_weak", 0.6, r"(?:^|\n|- )\s*(?:system|developer)\s*:"),
    _sign(
        "data_end",
        1.0,
        r"(?<!\w)(?:end of (?:the )?(?:data|prompt|instructions|user message|conversation)|fin de (?:los )?(?:datos|instrucciones)|fim d[oa]s? (?:dados|instru\w+))(?!\w)(?! en| em| on)",
    ),
    _sign("new_rules", 0.6, rf"(?<!\w)(?:new|nuev[ao]s?|nov[ao]s?) (?:{_RULES}|policy|tarea|task)(?!\w)"),
    _sign("json", 1.0, r"\"(?:role|content|turn|texts|recent|open_incidents|kind|follow_up_of|needs_review|who)\"\s*:"),
    _sign("json", 1.0, r"[\"'][\]}]{1,3}\s?,?\s?[\"'{\]}]|\"\]\}"),
    _sign(
        "field",
        1.0,
        r"(?<!\w)(?:kind|needs[_ ]review|follow[_ ]up[_ ]of|open[_ ]incidents)(?: ?[=:]| (?:to|is|must|should|debe|false|true|incident|chatter|resolution)|\W{0,3}i\d)|(?<!\w)kind incident",
    ),
    _sign(
        "field",
        1.0,
        rf"(?<!\w)chatter(?!\w)(?=[^\n]{{0,60}}(?:{_TICKET}|mensaje|message|mensagem|report))|(?:as|como|son|es|sao|todo) chatter(?!\w)|answer (?:resolution|incident|chatter)",
    ),
    _sign(
        "field",
        1.0,
        r"(?<!\w)(?:responde|responda|answer|respond)\w* (?:with |con |com )?(?:sempre |siempre |always )?(?:kind |only )?(?:incident|chatter|resolution|follow_up)(?!\w)",
    ),
    _sign(
        "confidence",
        1.0,
        r"(?<!\w)(?:confidence|confianza|confianca)(?: ?[=:]| (?:to|de|a|is))? ?(?:1(?:\.0+)?|100|0?\.9\d?|max\w*)(?!\w)",
    ),
    _sign(
        "priority",
        0.6,
        r"(?<!\w)(?:set |pon |priorit|prioridad|prioridade)\w*(?: to| a| is| siempre| always| sempre|=|:)+ ?(?:siempre |always |maxima |to )?(?:urgent|maxim)\w*|(?<!\w)set priority(?!\w)|always urgent",
    ),
    _sign(
        "refs",
        1.0,
        r"(?<!\w)(?:cierr\w*|cerrar|close|merge|fusion\w*|une|junta|resolve[rd]?|resuelv\w*|resolution|mark|marca|marque|feche|fech\w*|para|into|ref|con|em|of)\W{1,3}(?:ref )?i[1-9]\d?(?!\w)",
    ),
    _sign(
        "close_all",
        0.7,
        rf"(?<!\w)(?:cierra|cierren|ciérra\w*|cerrar|close|resolve|marca|marcar|mark|marque|feche\w*|encerre|borra|delete|elimina|fusiona|merge)(?!\w)[^.\n]{{0,25}}(?<!\w)(?:{_ALL}|open|abiert\w+|other|demas)(?!\w)[^.\n]{{0,25}}(?<!\w)(?:{_TICKET}|resuelt\w+|resolvid\w+|resolved|abierto)(?!\w)",
    ),
    _sign(
        "close_all",
        1.0,
        r"(?<!\w)(?:marca|marque|mark)(?!\w)[^.\n]{0,40}(?<!\w)(?:incidencias|incidents|incidentes|tickets|chamados)(?!\w)[^.\n]{0,20}(?:resuelt|resolvid|resolved)|(?<!\w)ci[ea]rra todo (?:lo )?que",
    ),
    _sign("many", 1.0, rf"(?<!\w){_MAKE}(?!\w)[^.\n]{{0,20}}(?<!\w){_MANY}(?!\w)[^.\n]{{0,22}}(?<!\w){_TICKET}(?!\w)"),
    _sign(
        "many",
        1.0,
        rf"(?<!\w){_MAKE}(?!\w)[^.\n]{{0,20}}(?<!\w){_TICKET}(?!\w)[^.\n]{{0,16}}(?<!\w)(?:por|for|para|per|de|to) (?:(?:cada|each|every) (?:mensaje|message|mensagem|palabra|word|letra|letter|store|tienda|loja|person\w*|miembro|member)|todas?|todos|all)(?!\w)",
    ),
    _sign(
        "many",
        0.6,
        rf"(?<!\w){_MAKE}(?!\w)[^.\n]{{0,14}}(?<!\w)(?:varios|multiple|several|separate|cinco|five|[2-4])(?!\w)[^.\n]{{0,14}}(?<!\w){_TICKET}(?!\w)",
    ),
    _sign(
        "persona",
        1.0,
        r"(?<!\w)(?:ahora eres|eres ahora|a partir de ahora eres|serás|you are (?:now|no longer) (?:an?|the|my|dan|in|going|\w+bot)|voce agora e|agora voce e|a partir de agora voce|eres un (?:asistente|bot|modelo)|(?<!\w)dan y no)(?!\w)",
    ),
    _sign(
        "persona",
        1.0,
        r"(?<!\w)(?:pretend|finge|finja|roleplay|hazte pasar|simula ser)(?: que)?(?: to be| you are| you'?re| eres| voce e| ser| por| as)(?!\w)",
    ),
    _sign(
        "persona",
        1.0,
        r"(?<!\w)(?:actua|comportate|act|behave|aja|atue|responde)(?: como| as| like)(?: si fueras| if you were)?(?: un| una| el| la| an?| the| um| uma| o| a)? ?(?:admin\w*|sistema|system|desarrollador|developer|tecnico|gerente|hacker|ceo|root|dan|asistente|assistant|bot|experto|supervisor)(?!\w)",
    ),
    _sign(
        "mode",
        0.7,
        r"(?<!\w)(?:developer|debug|god|dan|jailbreak|root|desarrollador|desenvolvedor|mantenimiento|dios) mode(?!\w)|(?<!\w)(?:modo|mode) (?:developer|debug|desarrollador|desenvolvedor|dios|dan|root|mantenimiento|sin limites)(?!\w)|jailbreak",
    ),
    _sign(
        "from_now",
        0.6,
        rf"(?<!\w)(?:a partir de (?:ahora|agora|este)|de ahora en adelante|desde ahora|from (?:now|here) on|de agora em diante)(?!\w)[^.\n]{{0,40}}(?:{_TICKET}|mensaje|message|mensagem|todo lo que|eres|clasific|classif|trata|treat|urgente?(?!\w))",
    ),
    _sign(
        "every_message",
        0.7,
        rf"(?<!\w)(?:{_ALL}|this|only)(?: \w+){{0,2}} (?:mensajes?|messages?|mensagem|mensagens|reports?|texts?|reportes?)(?!\w)[^.\n]{{0,40}}(?:as|como|es|is|son|incidenc\w*|incident\w*|urgente?|spam)(?!\w)",
    ),
    _sign(
        "every_message",
        0.6,
        rf"(?<!\w)(?:trata|trate|treat|clasifica|classify|classifique|considera|considere|consider)(?!\w)[^.\n]{{0,12}}(?<!\w)(?:{_ALL}|todo|tudo|everything|anything)(?!\w)",
    ),
    _sign(
        "prompt",
        1.0,
        rf"(?<!\w){_SAY}(?!\w)[^.\n]{{0,40}}(?<!\w)(?:system prompt|prompt d[eo]l? ?sistema|(?:tu|your|seu|teu) (?:\w+ )?prompt|initial prompt|prompt inicial)(?! error)",
    ),
    _sign(
        "prompt",
        1.0,
        rf"(?<!\w){_SAY}(?!\w)[^.\n]{{0,30}}(?<!\w)(?:(?:tus|your|suas|seus) (?:\w+ ){{0,2}}{_RULES}|(?:hidden|secret|initial|internal) {_RULES}|{_RULES} (?:del sistema|iniciales|internas|ocultas|secretas|do sistema|iniciais))(?!\w)",
    ),
    _sign(
        "text_above",
        0.7,
        rf"(?<!\w){_SAY}(?!\w) (?:the |el |o )?(?:text|texto|everything|words|todo lo|tudo) (?:above|de arriba|acima|anterior)",
    ),
    _sign("verbatim", 0.5, r"palabra por palabra|word for word|verbatim|palavra por palavra|starting with \""),
    _sign(
        "subject",
        0.7,
        r"(?<!\w)(?:en|in|no|al|to|as|into|at) (?:the |el |o )?(?:asunto|subject|assunto|titulo|summary|resumen del ticket|title)(?!\w)",
    ),
    _sign(
        "people",
        0.7,
        rf"(?<!\w)(?:{_ALL}|todos|every|lista de)(?: (?:de|of|the|los|las|os))*(?: \w+)? (?:telefonos?|phone numbers?|phones?|telefones?|numeros|participan\w+|names?)|(?:telefonos?|telefones?|numeros|phone numbers?|names) (?:de|of) (?:todos|every\w*|all|each)|(?:whole|entire|full) (?:chat|conversation)|chat history|(?:conversacion|conversa|historico do chat|historial del chat) (?:completa|entera|inteira|inteiro)|(?:with|con|com) (?:phone numbers|telefonos|telefones)",
    ),
    _sign("link", 0.5, r"https?://|www\.|@todos|@everyone|@all(?!\w)"),
    _sign(
        "send",
        0.4,
        r"(?<!\w)(?:incluye|inclua|include|agrega|adicione|append|add|pon|put|coloque|reenvia|forward)(?!\w)",
    ),
    _sign(
        "bot",
        1.0,
        rf"(?:note to|nota para|instru\w+ para|aviso para|message (?:to|for)|mensaje para|if you(?: are|'re)|si eres|se voce e) (?:the |el |la |o |a |an |un |una |um |uma )?{_BOT}(?!\w)",
    ),
    _sign(
        "bot",
        1.0,
        rf"(?<!\w)(?:{_BOT}s?) (?:must|should|debe\w*|deve\w*|si lees|ignora|reading|que le[ea]) |asistente de ia|(?:language model|modelo de lengua\w+),|your task (?:changed|is now)",
    ),
    _sign(
        "bot_weak",
        0.5,
        rf"(?:^|\n|[.,;!:] )(?:(?:hey|hola|oye|ok|oi) )?{_BOT}\s?[,:]|[,.] {_BOT}(?:\.|$)|^{_BOT} (?:abre|crea|genera|cierra|marca|clasifica|open|create|close|abra|crie|gere|feche)(?!\w)",
    ),
    _sign(
        "bot_verb",
        0.5,
        rf"^{_BOT}[,:]? (?:genera|crea|cierra|clasifica|append|close|fusiona|agrega|incluye|inclua|adicione|treat|stop|deja|gere|classifique|clasifique|stop)(?!\w)",
    ),
    _sign(
        "bot_order",
        0.4,
        r"(?<!\w)(?:deja de|stop|para de|nunca|never|pare de|nao|no) (?:abr\w+|crea\w*|creating|opening|open|generar|cri\w+)(?!\w)[^.\n]{0,20}(?:tickets?|chamados?|incidencias?)(?!\w)",
    ),
    _sign(
        "authority",
        0.7,
        r"(?<!\w)(?:soy|sou|i'?m|i am|habla|this is|aqui e)(?: el| la| o| a| tu| your| seu| the)* (?:desarrollador\w*|desenvolvedor\w*|developer|creador|criador|creator|programador|programmer|openai|anthropic|google|sysadmin|root)(?!\w)",
    ),
    _sign(
        "authority",
        0.7,
        r"(?<!\w)(?:anthropic|openai)(?!\w)|(?<!\w)(?:your|tu|seu|del bot|do bot) (?:developer|desarrollador|creador|creator|criador|desenvolvedor|owner|dueno)|(?:desarrollador|creador|desenvolvedor) del? bot",
    ),
    _sign("override_code", 0.7, r"(?<!\w)override(?!\w)|(?<!\w)sudo(?!\w)|autorizaca?o?n? de root|salta las reglas"),
    _sign("command", 0.4, rf"(?<!\w){_MAKE}(?!\w)[^.\n]{{0,25}}(?<!\w){_TICKET}(?!\w)"),
    _sign(
        "programmed",
        1.0,
        r"(?<!\w)(?:lo que|o que|what|como) (?:te|voce|you(?: were| have been)?|le) (?:program\w*|ensen\w*|configur\w*|entren\w*|train\w*|told|dij\w+|mand\w+ hacer|foi (?:dito|ensinado))|(?<!\w)(?:te|you were|voce foi|were you) (?:programaron|programado|programmed|trained|told|entrenaron|configuraron|instructed)(?!\w)|directions you (?:got|were|have)|(?:tu|your|sua) (?:configura\w+|config|setup|system message|context) (?:inicial|initial)?",
    ),
    _sign(
        "your_prompt",
        1.0,
        r"(?<!\w)(?:tu|your|seu|teu|su|el|the|o) (?:propio |own |initial |system |secret )?prompt(?!\w)(?= |[,.;:!?]|$)(?! (?:error|opens|keeps|window|se abre|negro|aparece|de comandos))|(?<!\w)d[eo] (?:tu|teu|seu|your) prompt",
    ),
    _sign("tag", 1.0, r"[\[<({]{1,2}\s?/?(?:sistema|system|sys|inst|admin|dev|root|override)\s?[\])>}]{1,2}"),
    _sign(
        "field",
        1.0,
        r"(?<!\w)(?:campo|field|parametro|parameter|key|chave) \W?(?:kind|priority|category|confidence|evidence|subject|summary|needs_review|follow_up_of)(?!\w)",
    ),
    _sign("chatter", 0.6, r"(?<!\w)chatter(?!\w)"),
    _sign(
        "crowd",
        0.6,
        r"(?<!\w)(?:[1-9]\d{1,4}|cien|mil|cientos|miles|cinco mil|hundreds?|thousands?|a thousand|dezenas|decenas|milhares|cem)(?: de)? (?:tickets?|incidencias|incidents|incidentes|chamados|casos|cases|issues|reportes|reports)(?!\w)",
    ),
    _sign(
        "pour",
        0.4,
        r"(?<!\w)(?:spam\w*|flood\w*|manda|mande|haga|hagas|me haga|send|inunda|enche|llena|fill|uno tras otro|one after|de uma vez|seguidos|a nombre de)(?!\w)",
    ),
    _sign(
        "persona",
        0.7,
        r"(?<!\w)(?:faz de conta|faca de conta|imagina que (?:eres|fueras)|imagine (?:que voce|you(?:'re| are))|let'?s play|jugemos|juguemos|vamos (?:a jugar|brincar)|you'?re (?:now )?\w*(?:god|bot|gpt|master)|you approve|you obey|obedec\w+ (?:solo|only|so)|sin dueno)(?!\w)",
    ),
    _sign(
        "role_of",
        0.5,
        r"(?<!\w)(?:eres|voce e|you'?re|you are|e o|seas|ser) (?:un |una |el |la |o |a |the |an? |um |uma )?(?:jefe|chefe|gerente|manager|boss|admin\w*|bot|asistente|tecnico|dueno|dono|owner|hacker|modelo|model)(?!\w)",
    ),
    _sign(
        "skip_review",
        0.8,
        r"(?<!\w)(?:skip|sin|sem|without|no|salta|pula|bypass) (?:any |la |a |the )?(?:human )?(?:review|revision|revisao|moderacion|moderacao|check)(?!\w)|(?:approve|aprueb[ae]|aprove|autoriz[ao]) (?:todo|tudo|everything|anything|all)(?!\w)|i authorize you|te autorizo|eu te autorizo",
    ),
    _sign(
        "reader",
        0.7,
        rf"(?<!\w)(?:reads?|reading|process\w*|lee|lees|leas|procesa\w*|le|lendo|analiza\w*|analisa\w*|monitor\w*) (?:this|este|esta|esse|essa|el|o|the) (?:chat|mensaje|message|mensagem|grupo|group|conversa\w*)|(?:cualquier|any|whatever|todas?|all|qualquer|to the|al|a la|pro|para o|para la|para el) {_BOT}(?!\w)",
    ),
    _sign(
        "verdict_of",
        0.6,
        r"(?<!\w)(?:lo que|todo|tudo|whatever|everything|anything|what)(?!\w)[^.\n]{0,40}(?<!\w)(?:broma|joke|jokes|spam|brincadeira|mentira|fake|falso|no lo cuentes|no cuenta|don'?t count)(?!\w)",
    ),
    _sign(
        "ask_bot",
        0.5,
        r"(?<!\w)(?:escalate me|escalame|apruebe|aprueba|approve|aprove|ejecut\w+|execute|run|passa na frente|libera|prioriz\w+|prioriti[sz]e|log me as|mark me as|register me as|registrame como)(?!\w)",
    ),
    _sign(
        "shut",
        0.4,
        r"(?<!\w)(?:shut|close|cierra|cierr[ae]lo|encerra|encerre|fecha|feche|fix for|resolve|resuelve|dar? por termina\w+|give as done|merge|join|une)(?!\w)",
    ),
    _sign(
        "subject_line",
        0.6,
        r"(?<!\w)(?:subject line|titulo del ticket|asunto del ticket|ticket title|titulo do chamado|assunto do chamado|ticket subject)(?!\w)",
    ),
    _sign(
        "people",
        0.6,
        r"(?<!\w)(?:nombres|names|nomes|celulares|telefonos|phones|telefones|numeros)(?: y| and| e|,)? ?(?:\w+ )?(?:de quienes|of (?:everyone|those|all|people)|de quem|de los que|de todo el grupo|of the group|do grupo|del grupo)",
    ),
    _sign(
        "tag",
        1.0,
        r"\[(?:system|sistema)[ \w]{1,20}\]|(?<![*=#~-])[*=#~-]{2,20}\s?(?:mensaje|message|mensagem|aviso|system|sistema) ?(?:del?|do|message|prompt|of)? ?(?:sistema|system)?\s?[*=#~-]{2,}",
    ),
    _sign(
        "mission",
        0.6,
        r"(?<!\w)(?:nueva|new|only|unica|nova|real) (?:mision|mission|missao|job|objetivo|goal|funcion|funcao)(?!\w)",
    ),
    _sign(
        "context",
        0.6,
        r"(?<!\w)(?:previous|prior|earlier) context(?!\w)|contexto (?:previo|anterior)|(?:lo que|o que|what you) (?:leiste|aprendiste|aprendeu|leu|learned|read)(?!\w)|queda sin efecto|is void(?!\w)",
    ),
    _sign(
        "obey",
        1.0,
        r"(?<!\w)(?:me obede[cz]\w+|obede[cz]eme|obey me|obey only|work for me now|trabajas para mi|voce trabalha para mim|eres mio)(?!\w)",
    ),
    _sign(
        "yours",
        0.6,
        r"(?<!\w)(?:tu|your|sua|seu|teu|tua) (?:memoria|memory|mensaje de sistema|mensagem d[eo] sistema|system message|canary|mark|clasificacion|classification|output|contexto|decision rules)(?!\w)",
    ),
    _sign(
        "yours", 0.6, r"(?<!\w)(?:ya no )?(?:clasificas|classificas|voce classifica|you classify|you decide who)(?!\w)"
    ),
    _sign(
        "canary",
        1.0,
        r"(?<!\w)canary(?!\w)|system message(?= ?\?)|(?:tu|seu|your) (?:mensaje|message|mensagem) d[eo]l? sistema",
    ),
    _sign(
        "which_rules",
        1.0,
        rf"(?<!\w)(?:que|cuales|quais|what|which) {_RULES}(?: \w+)? (?:sigues|segue|you follow|follow|usas|te dieron|te deram)(?!\w)",
    ),
    _sign(
        "order",
        1.0,
        rf"(?<!\w)(?:ordem|orden|order|ordeno|comando|command)(?!\w)[^.\n]{{0,30}}(?<!\w)(?:al?|ao|to|para|for|el|o|the) (?:el |o |la |the )?{_BOT}(?!\w)",
    ),
    _sign("order", 0.6, r"(?<!\w)(?:te ordeno|ordeno que|i order you|i command you|eu ordeno)(?!\w)"),
    _sign(
        "rank",
        0.5,
        r"(?<!\w)(?:superusuario|superuser|root|master|con mi rango|nivel 5|clearance|vendor|fabricante|your (?:maker|vendor|provider))(?!\w)",
    ),
    _sign("dump", 0.6, r"(?<!\w)(?:dump|vuelca|exporta tu|export your)(?!\w)"),
    _sign(
        "reader",
        1.0,
        r"(?<!\w)(?:si|se|if) (?:(?:el|o|the|un|um|an?|algun|any) )?(?:sistema automatic\w+|automated system|automatic system|maquina|machine) (?:le[ea]\w*|ler|read\w*|ve)(?!\w)",
    ),
    _sign(
        "people",
        0.7,
        r"(?<!\w)(?:everybody|everyone)'s (?:number|phone|name)|(?:contat[oa]s|contactos|contacts) (?:de|of) (?:todo mundo|todos|everyone|everybody)",
    ),
    _sign("dear_bot", 1.0, rf"(?<!\w)(?:estimad[oa]|querid[oa]|dear|prezad[oa]|car[oa]) {_BOT}(?!\w)"),
    _sign(
        "per_time",
        0.7,
        r"(?<!\w)(?:tickets?|chamados?|incidencias?|cases?) (?:per|por|every|each|cada|a) (?:second|segundo|minute|minuto|minut)",
    ),
    _sign(
        "grant",
        0.7,
        r"(?<!\w)(?:grant|give|dale|concede)(?!\w)[^.\n]{0,20}(?<!\w)(?:staff|admin|soporte) (?:role|rol|rights)",
    ),
    _sign(
        "finish_refs",
        0.5,
        r"(?<!\w)(?:consider|considera|finished|terminados|listos?|marcalos|junte|esto resuelve)(?!\w)",
    ),
    _sign(
        "everyone",
        0.6,
        r"(?<!\w)(?:ignore|ignora) \w+ (?:completely|por completo|completamente|siempre|always)(?!\w)|nobody reports|ninguem (?:mais )?reporta|nadie (?:mas )?reporta",
    ),
)
