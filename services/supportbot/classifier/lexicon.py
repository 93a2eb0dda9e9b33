# ruff: noqa: E501, ISC004 - phrases are long, and a missing comma would be a type error
"""The words by which a text shows a trait, as tables: weight and phrase, in Spanish, English and Portuguese together.

Phrases are written folded (see `normalise`), and in a small notation: `*` ends a stem, `~` stands for the pronouns that may
stand between "no" and a verb, the rest is a regular expression. Each phrase is bounded by words on both sides.
What a retail chain calls its things is in `lexicon_topics`.
"""

import re
from typing import Final

Table = tuple[tuple[float, str], ...]
Compiled = tuple[tuple[float, re.Pattern[str]], ...]

_PRONOUNS: Final = r"(?:(?:me|nos|se|le|les|te|lo|la|los|las|ya|esta|estan|nada|han|ha|hemos|he|a|da|dio|sido) ){0,3}"

GREETING: Final[Table] = (
    (1, r"buen(?:os|as|a)? (?:dia*|tarde*|noche*|inicio)|bonito dia|excelente (?:dia|tarde|inicio)"),
    (
        1,
        r"(?:buen\w*|hola|bonit\w+|excelente|feliz|saludos)(?: \w+){0,3} (?:a todos|todos|equipo|chic[oa]s|grupo|amig[oa]s|gente|team|señores|compañer\w+|a todas)",
    ),
    (1, r"hola|holi*|que tal|saludos|buenas|buen dia|estimad*|compañer*|companer*|muy buen*"),
    (
        1,
        r"(?:good )?(?:morning|afternoon|evening|day)(?: (?:all|team|guys|folks|everyone|everybody|ladies))?|hello|hi|hey|dear|folks",
    ),
    (
        1,
        r"(?:happy|feliz|lindo|linda|bonit[oa]|buen[oa]?|boa|bom|otima?) (?:\w+day|lunes|martes|miercoles|jueves|viernes|sabado|domingo|semana|inicio|jornada|segunda|terca|quarta|quinta|sexta)",
    ),
    (1, r"bom dia|boa (?:tarde|noite)|ola|oi|oie|pessoal|galera|prezad*"),
)

THANKS: Final[Table] = (
    (1, r"(?:muchas |mil |muchisimas |ok |de antemano |super )*gracias|agradec*|agradezco|muy amable*|se agradece*"),
    (1, r"(?:you're|you are|eres|sos|usted es|vc e|voce e|es usted) (?:the best|an? \w+|un|una|um|uma|lo maximo|el mejor|la mejor|o melhor)(?: \w+)?|life ?saver|te debo una|un crack"),
    (1, r"thank (?:you|u)(?: so| very)?(?: much)?|thanks (?:a lot|so much|again|everyone|all|guys|team)|much(?:as|isimas)? gracias a todos"),
    (1, r"thank*|thx|cheers|much appreciated|appreciate*|obrigad*|valeu|agradecid*|grato|grata"),
    (1, r"de nada|con gusto|a la orden|para servirte|you're welcome|no (?:problem|worries)|de nada|imagina|por nada|un placer"),
    (0.8, r"ok|okey|okay|oki|vale|va|sale|enterad*|entendido|perfecto|excelente|de acuerdo|copiado|anotado|claro|"
        r"claro que si|super|genial|buenisimo|que bien|recibido|quedo (?:pendiente|atent*|al pendiente)|"
        r"estamos (?:pendientes|atentos)|al pendiente|asi es|correcto|^esta bien|bendiciones|(?:listo|ok|va|sale|perfecto|excelente),? (?:muchas |mil |muchisimas )*gracias|dale|bueno|bueno pues|dios (?:l[aeo]|los|te|les) bendiga|animo|ni modo|ojala|^asi queda|sale pues|ah ok|ah va|ya vi|ya vi gracias"),
    (1, r"got it|noted|great|perfect|awesome|sure|cool|will do|understood|roger|alright|nice|great work|good job"),
    (1, r"beleza|perfeito|otimo|certo|combinado|entendi|ciente|show|top|maravilha|fechado"),
    (1, r"feliz *|felicidades|felicitaciones|happy birthday|congratulations|congrats|parabens|bienvenid*|welcome|bem vind*"),
)  # fmt: skip

SMALL_TALK: Final[Table] = (
    (2, r"(?:ja|je|ji|ha|he|jaja|rs|k)(?:ja|je|ji|ha|he|rs|k)+|lol|jajaj*|kk+|lmao"),
    (1.5, r"nos vemos|hasta mañana|hasta manana|descansen|descansa|buen provecho|un abrazo|see you|ate amanha|ate logo|bye|adios"),
    (1.5, r"voy para alla|ahorita te marco|te marco|te llamo|ya voy|voy llegando|on my way|estou chegando|ya llegue|estoy en junta|"
          r"dame un (?:segundo|momento|minuto)|no te preocupes|no se preocupen|todo bien|sin novedad*|ningun problema"),
    (1.5, r"(?:junta|reunion|meeting|reuniao|comida|cumple*|fiesta|partido|cafe|calor|lunch|birthday|aniversario|comedor|uniformes|futbol)"),
    (1, r"quien (?:va|gano|abre|cierra|trabaja|viene)|a que hora (?:es|abre*|cierra*|llega*)|alguien quiere|que buena venta"),
)  # fmt: skip

# Taken out of the text before problems are looked for.
NO_PROBLEM: Final[Table] = (
    (1, r"(?:ya )?no (?:hay|hubo|tengo|tenemos|tuvimos|marca|manda|da|sale|existe|aparece|presenta) (?:ya )?(?:el |la |un |ese |"
        r"ningun |ninguna |mas )*(?:error*|problem*|falla*|detalle*|incidencia*|inconveniente*|novedad*)"),
    (1, r"sin (?:ningun |mas |mayor )*(?:problema*|error*|falla*|detalle*|novedad*|inconveniente*)"),
    (1, r"ningun (?:problema|error|inconveniente)|no es (?:un )?(?:problema|error)|no problem*|no (?:more )?(?:error*|issue*)|"
        r"without (?:problem*|issue*|error*)|sem (?:problema*|erro*)|nao (?:ha|tem|deu) (?:mais )?(?:erro*|problema*)|"
        r"no te preocupes|no se preocupen|no hay de que|no hay falla|no worries|no hay pena"),
    (1, r"por (?:error|equivocacion) (?:mand*|envi*)|(?:grupo|chat) (?:equivocado|errado)|wrong (?:group|chat|person)|error de dedo|no (?:lo |me lo )?(?:puedo|puede) creer|no (?:manch\w+|mam\w+|inventes|inventen|jodas|te creo|me digas)|mala onda"),
)  # fmt: skip

_CANNOT: Final = (
    r"(?:puedo|puede|pueden|podemos|pude|pudo|pudimos|podia|podido|podian|deja|dejan|dejo|dejaba|permit*|jal*|funcion*|sirv*|"
    r"abr*|entr*|imprim*|timbr*|carg*|proces*|escane*|lee|leen|recono*|respond*|prend*|enciend*|encend*|conect*|encontr*|"
    r"encuentr*|aparec*|refle*|muestra*|ve|ven|vemos|veo|sale|salen|salio|lleg*|baj*|sub*|sincron*|descarg*|guard*|acept*|"
    r"autoriz*|liber*|recib*|recepcion*|registr*|cobr*|pas*|avanz*|cierr*|actualiz*|coincid*|cuadr*|corresponde*|existe*|"
    r"considera*|toma|tomo|aplic*|genera*|descont*|descuent*|integr*|envi*|manda*|marca*|trae*|traj*|viene*|vino|vinieron|surt*|"
    r"entreg*|cae|cayo|logr*|consig*|tengo|tiene*|tenemos|hay|cuenta*|factur*|vend*|acced*|valid*|reconoce*|suena|"
    r"queda*|habilit*|dado de alta|vigente|activo|activa|disponible|habilitad*|cargad*|correct*|es correct*|son correct*)"
)

# Taken out of the text before requests are looked for.
NO_REQUEST: Final[Table] = (
    (1, r"(?:gracias|agradezc*|agradec*|obrigad*|thanks|thank you)(?: \w+){0,3} (?:por|for|pela|pelo) (?:\w+ ){0,2}(?:apoyo|ayuda|atencion|soporte|"
        r"colaboracion|help|support|ajuda|apoio)"),
)  # fmt: skip

PROBLEM: Final[Table] = (
    (1.4, rf"(?:no|tampoco|aun no|todavia no|ni) ~{_CANNOT}"),
    (0.9, r"no (?!te |se preocup|hay de que|sabia|gracias|quiero)(?:~)?\w{3,}"),
    (1, r"no (?:esta|estan|viene|vienen) (?:en |dad*|carg*|reflej*|aparec*|registr*|funcion*|llegando|imprim*|sal*|pas*|bien)"),
    (1.2, r"error*|erro|falla*|fallo|fallando|fallas|problem*|inconvenient*|incidencia*|averia*|anomalia*|bug*"),
    (1.2, r"(?:se|me|nos|sigue|esta|quedo|queda) (?:trab(?!aj)\w*|ciclad*|cicl*|congel*|cay*|cae|cerro|apag*|descompus*|daño|dano|perdi*|borr*|duplic*|"
          r"bloque*|atasc*|pasm*|colg*|atora*|atoro|desconfigur*|desconect*|cerr*|va|fue|revers*|cancel*)"),
    (1, r"trabad*|caid*|lent*|bloquead*|dañad*|danad*|descompuest*|congelad*|duplicad*|atorad*|apagad*|roto|rota|quebrad*|vencid*|caducad*|"
        r"desconfigurad*|desactivad*|inhabilitad*|inactiv*|obsolet*|rechaz*|pasmad*|ciclad*|colgad*|desconectad*|descuadrad*"),
    (1, r"incorrect*|erroneo*|erronea*|equivocad*|mal (?:el|la|los|las|cargad*|capturad*|etiquetad*|escrit*|registrad*|facturad*)|"
        r"esta mal|estan mal|sali* mal|salen mal|aparece* mal|invertid*|al reves|no corresponde*|cruzad*"),
    (1, r"faltan*|falta|falto|faltante*|sobrante*|sobran|diferencia*|incomplet*|de menos|de mas|descuadr*|desfas*|negativ*|en cero*|en blanco|vaci*"),
    (1, r"sin (?:sistema|internet|red|luz|servicio|señal|senal|conexion|linea|acceso|existencia*|stock|precio*|carga|etiqueta*|costo*|"
        r"pedido*|orden*|surtir|recibir|poder|inventario*|factura*|timbrar|iva|venta*|usuario*|terminal*|registro|folio|catalogo)"),
    (1, r"(?:marca|manda|arroja|aparece|sale|da|dice|bota|tira|muestra|lanza|pide) (?:un |una |el |la |este |esta |ese |lo )*"
        r"(?:error*|mensaje*|leyenda*|aviso*|siguiente*|codigo|ventana|alerta)|marca (?:que )?(?:cero|0|diferente|otro|mal|no|sin|inexist*|invalid*)"),
    (1, r"(?:precio|costo|codigo|cantidad*|dato*|total*|peso|unidad|descripcion|iva|importe*) (?:\w+ ){0,2}(?:diferent*|distint*|mal|incorrect*|"
        r"erron*|equivocad*|viej*|anterior*)|otro precio|diferente precio|doble cobro|(?:cobr|descont|descuent|carg|factur|registr|captur|pag|sal|lleg)\w* (?:\w+ )?(?:doble|dos veces|de mas)|cobro indebido"),
    (0.8, r"sin (?!embargo|duda|falta|prisa|compromiso|querer|costo alguno|mas )\w{4,}|sem (?!duvida|falta|pressa|querer)\w{4,}|without (?:a |an |the )?\w{3,}"),
    (1.2, r"(?:sistema|system|teoric[oa]|inventario|estoque) (?:\w+ ){0,8}(?:fisic[oa]|real|anaquel|physical|prateleira|shelf)|(?:fisic[oa]|physical|anaquel|prateleira) (?:\w+ ){0,8}(?:sistema|system|teoric[oa])"),
    # A contrast tells that something is not as it should be, whatever the things are called.
    (0.8, r"\w{3,} (?:pero|but|sin embargo|y sin embargo|porem|so que|mas(?! (?:o|de|que|tarde|alla|info|informacion|datos|rapido)\b)) (?:\w+ ){1,}\w+"),
    (1.2, r"(?:ningun[oa]?|nenhum[a]?|none|no one|nobody|nadie|ninguem)(?: \w+){0,6} (?:recib\w+|receb\w+|lleg\w+|cheg\w+|funcion\w+|abr\w+|abre|puede\w*|pode\w*|sirve|got|received|works?|aparec\w+)"),
    (1, r"(?:en|em|por) duplicid\w+|duplicid\w+|zerad[oa]s?|expirad[oa]s?|desconectad[oa]s?|trocad[oa]s?|voltead[oa]s?|volcad[oa]s?|vencid[oa]s?|vencend\w+|a menos|a mais|pela metade|o dobro|el doble|a la mitad|solit[oa]s?|muert[oa]s?|mort[oa]s?|borros[oa]s?|ilegib\w+|ilegiv\w+|borrad[oa]s?|(?:ta|esta|estao|ficou|fica) (?:fora|off|mudo|preto|preta|branc[oa]|travad[oa]|lent[oa]|rui[mn]s?)"),
    (0.9, r"nao (?!se preocup|ha de que|precisa|sabia|quero|tem problema|vejo a hora)\w{2,}"),
    (1, r"(?:doble*|dobles|dos veces|2 veces|por duplicado|repetid*|twice|two times|duas vezes|em dobro|repetid[oa]s?)"),
    (0.9, r"(?:marca|sale|aparece|figura|dice|muestra|arroja|tira|bota|pone)n? (?:como|en|que|esto|cuando|con|al|ahi)|"
          r"(?:says|shows|showing|marked|prints|throws|gives|charges|displays)|(?:aparece|fala|diz|mostra|consta|marca)m? (?:como|que|isso|esse)|(?:ta|esta|fica) como"),
    (1.2, r"(?:dice|marca|sale|aparece|cobra|pasa|tiene|says|shows|charges|passa|cobra|diz|ta) (?:a |en |em )?\$?\d[\d.,]*(?: \w+){0,4} (?:y|pero|cuando|and|but|instead|e|mas|contra|while|when|vs) (?:\w+ ){0,6}\$?\d"),
    (1.2, r"(?:se (?:me |nos |le |les )?(?:va|fue|cae|cayo|sale|salio|cierra|cerro|traba|trabo|apaga|apago|clavo|colgo|quema|quemo|borra|desconfigura|descompuso|pierde|reinicia|quedo (?!en\b|con\b|de\b|pendiente|list|atent|asi)\w+|queda sin)|(?:me|nos) (?:saca|saco|bota|boto|rebota\w*|rechaza\w*))"),
    (1.2, r"(?:stopped|stops|keeps?|kept|quit) \w+ing|(?:never|still not|not yet) \w+"),
    (0.8, r"mal|malo|mala|raro|imposible|urge|urgente|fuera de servicio|no (?:aplica|procede|coincide)|inexistente|invalid*|desconocid*|devuelt*"),
    (1.4, r"not (?:work*|print*|load*|open*|connect*|respond*|show*|scan*|charg*|able|receiv*|sync*)|(?:doesn't|does not|won't|will not|can't|"
          r"cannot|couldn't|could not|unable to|isn't|aren't|didn't|don't|never) \w+"),
    (1.2, r"is (?:down|out|broken|wrong|missing|stuck|offline|slow|frozen|jammed|dead|locked)|(?:down|broken|crash*|jammed|stuck|frozen|fails?|"
          r"failed|failing|failure|issue*|outage|expired|missing|wrong|offline|duplicate*|corrupt*|lock\w* out|mismatch*|declined|reject*)"),
    (1, r"(?:double|twice) charged|charged (?:twice|double)|sticky|keeps \w+ing|no (?:internet|power|connection|signal|access)|empty|out of (?:sync|stock)"),
    (1.4, r"nao (?:~)?(?:esta |estao |consig* |conseg* |foi |da (?:para )?)?(?:funcion*|imprim*|abr*|pass*|carreg*|aparec*|acess*|entr*|lig*|conect*|"
          r"cobr*|vend*|receb*|emit*|sai|cheg*|le|envi*|deixa|permite|conseguimos|consigo|consegue|bate|confere|quer|responde|mostr*|atualiz*|sincron*|grav*|salv*|aceit*|ger*|reconhec*|vem|veio|fica|anexa*|permit*|deix*)"),
    (1.2, r"(?:caiu|travou|travad*|trava|parou|quebr*|errad*|estragad*|duplicad*|sumiu|faltando|fora do ar|lento|lenta|esqueci|bloquead*|cobrad* duas)"),
    (1, r"sem (?:internet|sistema|luz|conexao|acesso|sinal|rede|preco|estoque)|com (?:erro|problema|defeito)"),
)  # fmt: skip

REQUEST: Final[Table] = (
    (1.4, r"(?:su|tu|de su|con su|un|mas) (?:valioso |amable |gran )*(?:apoyo|ayuda|soporte|colaboracion)"),
    (1.2, r"^(?:(?:buen\w*|hola|dia|dias|tardes|noches|bom|boa|oi|tarde|noite)[ ,.]+)*(?:su )?(?:apoyo|ayuda|auxilio|ajuda|socorro|help)(?! (?:de|a|mutu))"),
    (1.3, r"(?:apoyo|ayuda|soporte) (?:por favor|con|en|para|a|de|urgente|porque|ya que)|(?:necesit*|requer*|requier*|pido|solicit*|ocup*) "
          r"(?:de )?(?:su |un |el )*(?:apoyo|ayuda)"),
    (1.4, r"(?:me|nos|le|les) (?:pueden |podran |podrian |puedes |podras |podrias |puede |podria |podra |pudieran |pudieras )?(?:apoy*|ayud*|auxili*|"
          r"colabor*|orient*|asist*|echan* la mano)"),
    (1.4, r"(?:podrian|podran|pueden|podria|puede|podrias|podras|puedes|podra|pudieran|pudiera|pudieras) (?:~)?(?:por favor )?(?:apoy*|ayud*|revis*|"
          r"valid*|verific*|corre*|corri*|actualiz*|dar|carg*|modific*|cambi*|liber*|autoriz*|habilit*|activ*|asign*|agreg*|envi*|reenvi*|gener*|"
          r"cancel*|elimin*|reactiv*|checar*|ver|subir|bajar|quitar|abrir|cerrar|crear|compart*|mand*|orient*|indic*|inform*|auxili*|atender|"
          r"desbloque*|ajust*|aplic*|reset*|restabl*|conect*|apoyar*|llam*|marcar|proporcion*|decir|solucion*|hacer|poner|enviar)"),
    (1.2, r"(?:favor|por favor|urge) (?:de |en |su |me |nos )*(?:apoy*|ayud*|revis*|valid*|verific*|correg*|corri*|actualiz*|dar|carg*|modific*|cambi*|"
          r"liber*|autoriz*|habilit*|activ*|asign*|agreg*|envi*|gener*|cancel*|elimin*|checar|atender|desbloque*|ajust*|aplic*|subir|quitar|crear)"),
    (1.2, r"(?:apoyenos|apoyenme|apoyame|apoyanos|ayudenos|ayudenme|ayudame|ayudanos|auxilio|socorro|apoyarnos|ayudarnos|apoyarme|ayudarme|apoyandonos)"),
    (1.2, r"(?:solicito|solicitamos|solicita|solicitar|solicitarles|requiero|requerimos|requiere|necesito|necesitamos|necesita|ocupo|ocupamos|ocupa|"
          r"pido|pedimos|quisiera|quisieramos|quiero|queremos|se requiere|se necesita|se solicita|hace falta)"),
    (1, r"alguien mas (?:con|tiene|le|les|ve|presenta)|(?:alguien|quien) (?:que |me |nos )*(?:pueda|puede|podria|podra|apoya|ayuda|apoye|ayude|sabe|sepa)|con quien (?:puedo|me|veo|podemos|"
        r"puede)|a quien (?:le|puedo)|me (?:regalan|comparten|pasan|mandan|dan|indican|dicen|confirman|envian|proporcionan|autorizan|liberan|dan de alta|"
        r"habilitan|activan|corrigen|cambian|actualizan|cargan|generan|cancelan|revisan|checan|validan)|nos (?:regalan|comparten|pasan|mandan|dan|"
        r"indican|autorizan|liberan|habilitan|activan|corrigen|cambian|actualizan|cargan|generan|cancelan|revisan|checan|validan)"),
    (1, r"(?:para|con) (?:el |la |un |una )?(?:alta|baja|liberacion|cancelacion|correccion|autorizacion|actualizacion|activacion|habilitar|liberar|"
        r"cancelar|corregir|autorizar|cambio|ajuste|reactivar|reactivacion|validar|revisar|generar) (?:de|del|la|el|los|las|un|una|este|esta)"),
    (1, r"dar(?:lo|la|los|las|me|nos)? de (?:alta|baja)|como (?:proced\w+|lo hago|hacemos|podria)|como (?:le |se |puedo |hago |saco |podemos |le hago )+|que (?:hago|hacemos|procede|puedo hacer|se hace)"),
    (0.9, r"^(?:(?:buen\w*|hola|dia|dias|tardes|noches|bom|boa|oi|tarde|noite)[ ,.]+)*(?:disculp\w+|que pena (?:molestar\w*|con)|perdon(?:en|e)? (?:la molestia|que|por)|una molestia|desculp\w+ (?:incomod\w+|a|o)|com licenca|con permiso|sorry to bother)"),
    (1.1, r"^(?:\w+ )?(?:me|nos) (?:tira|tiran|passa|passam|libera|liberem|coloca|inclui|troca|corrige|corrija|cancela|exclui|arruma|quita|quiten|agrega|agreguen|ayuda|ajuda|ve|ven)(?!\w)|o que (?:eu )?(?:faco|fazemos)|como (?:eu )?(?:faco|fazemos|tiro|mudo|cancelo)"),
    (1.2, r"que (?:me|nos|le|les|lo|la|los|las|se) (?!est|van|ten|vien|dic|hac|pued|deb|tien|quier)(?:\w{3,}en|den|pongan|quiten|abran|suban|hagan|reciban|corrijan|incluyan|devuelvan|muevan)"),
    # "How do I …" asks for an action or a way; how somebody is, or how a matter stands, does not.
    (1.3, r"(?:^|[?.,:;] ?)(?:(?:y|e|oye|oigan|hola|buen\w*|dia|dias|tarde|tardes|duda|consulta|pregunta|alguien sabe|una duda)[ ,:]+)*como (?:(?:le|lo|la|los|las|se|me|nos) )*"
          r"(?!est|va\b|van\b|vamos|amanec|anda|sigue|segui|qued|siempre|ves|ven\b|le\b|les\b|se\b|si\b|yo|el\b|que\b|una?\b|en\b|de\b|dice|dij|son\b|es\b|fue|ya\b|no\b|todo|digo|ustedes|cada|ayer)\w{3,}"),
    # An infinitive in first place is how a chat asks for an action: "liberar pedido", "dar de baja", "cambiar la unidad".
    (1.2, r"^(?:(?:buen\w*|bom|boa|hola|ola|oi|dia|dias|tarde|tardes|noite|noches|por favor|favor|y|e|tambien|tambem|solo|de|para|hay que|ha que|urge|a)[ ,.;:]+)*"
          r"(?!lugar|mujer|ayer|taller|familiar|bar|celular|similar|tercer|primer|placer|azar|militar|popular|particular|regular|anterior|mejor|mayor|peor|"
          r"menor|superior|esperar|descansar|trabajar|omar|oscar|edgar|cesar|pilar|star|over|car)"
          r"(?:\w{3,}ar|\w{2,}ir|(?:re)?hacer|(?:re|com|ex)?poner|devolver|(?:re)?mover|recoger|vender|meter|resolver|(?:man|ob)tener|responder|fazer|receber|mexer|re-?abrir)(?:me|nos|le|les|lo|la|los|las)? \w+"),
    (1, r"(?:se (?:puede|podra|podria|pueden)|es posible|sera posible|seria posible|sera que|hay (?:manera|forma|chance|modo) de|hay que|tem como|da para|dava para|is it possible|is there a way) \w+"),
    (1, r"(?:me|nos) (?!est|qued|d[ei]c|aparec|sal|lleg|falt|sobr|marc|cobr|deb|lleva|hac|va|gust|pas|mand|toc)\w{3,}(?:an|en) (?:por favor |porf\w* )?(?:el|la|los|las|un|una|este|esta|estos|estas|ese|esa|esos|esas|con|\d)"),
    (1.2, r"necesit(?:o|amos|aba|aria|ariamos|aramos)|requer(?:imos|ia|iria|iriamos)|requiero|solicit(?:o|amos|ar)|favor \w{3,}(?:ar|er|ir|ir)(?:lo|la|los|las)?|por favor \w{3,} (?:the|these|this|those|my|our|it|them)|"
          r"precis(?:o|amos|ava|aria)|solicit(?:ar|o|amos)|queria|quero|necesit(?:o|amos)"),
    (1.2, r"(?:is there|any) (?:any |some )?(?:way|ideas?|chance) (?:that |how )?(?:to|i|we|how|for)|(?:one|a|another|quick)? ?questions? (?:about|on|regarding|re\b)|how (?:does one|to) \w+|can (?:i|we) \w+|(?:hay|existe|tienen|tem|existe) (?:alguna?|una|um|uma) (?:forma|manera|jeito|opcion|opcao) de"),
    (1.3, r"(?:can|could|would) (?:you|someone|somebody|anyone|u) (?:please )?(?:\w+)|need* (?:help|support|assistance|a|an|the|to|new|someone|you)|"
          r"help (?:with|please|needed|us|me)|assist*|kindly|por favor (?:reset|check|fix|help|look|update|cancel)|i (?:want|would like) to|how (?:do|can) (?:i|we)"),
    (1.3, r"(?:poderiam|podem|pode|poderia|conseguem|consegue) (?:me |nos |~)?(?:\w+)|preciso|precisamos|ajuda (?:com|por|aqui|na|no)|me ajud*|nos ajud*|"
          r"apoio (?:com|na|no|por)|gostaria|socorro|ajudem|ajuda"),
    (0.5, r"por favor|favor|se los agradec*|urge|urgente"),
)  # fmt: skip

REPORT: Final[Table] = (
    (1.5, r"(?:me|nos) (?:reporta*|report*|comenta*|indica*|informa*|notifica*|avisan que|avisaron|marcan de|hablan de|llaman de|dicen de|escriben de)"),
    (1.2, r"(?:reporta|reportan|reportando|reporto|reportamos|reportar|reporte de)|(?:tienda|sucursal|la) \d{2,4} (?:reporta*|comenta*|indica*|informa*)"),
    (1, r"(?:store|branch|site) \d+ (?:reports|says)|reported (?:by|from)|reports that|(?:loja) \d+ (?:informa*|relata*)|relat*"),
)  # fmt: skip

INSISTENCE: Final[Table] = (
    (1.5, r"(?:alguna|hay|tienen|tendran|dar|dan|dieron|den|alguien|ninguna|alguno|cual|tiene|tienes) (?:\w+ )?(?:respuesta|novedad*|avance*|noticia*|informacion|"
          r"actualizacion|solucion|seguimiento|estatus|status)|que (?:paso|novedades|noticias|avance)|novedades|avances|alguien\?"),
    (1.5, r"(?:estamos|estoy|quedo|quedamos) (?:\w+ )?(?:en espera|esperando|a la espera|al pendiente de)|"
          r"(?:sigo|seguimos|sigue|siguen|continua*|continuamos) (?:\w+ )?(?:igual|en espera|esperando|a la espera|sin (?:\w+)|"
          r"al pendiente de|con (?:el|la|lo|este|los|las) (?:mism\w+|problema|error|detalle|falla)|lo mismo|detenid*|parad*|aqui|fallando|aparec*|"
          r"marcando|saliendo|mandando|trabad*|caid*)"),
    (1.2, r"sigue* (?:igual|sin|con|marcando|saliendo|apareciendo|mandando|aparec*|lo mismo|la misma|el mismo|mal)|seguimos (?:igual|sin|con)|"
          r"(?:aun|todavia) (?:nada|sigue*|seguimos|me|nos|aparec*|marca*)|hasta (?:el momento|ahora|ahorita) (?:no|nada|sin)"),
    (1.5, r"como (?:va|van|vamos|quedo|seguimos|vas|sigue)|que (?:paso|hubo|onda|ha pasado) con|(?<!\w)ya \w+[^?]{0,60}\?|ya (?:quedo|quedaria|estara|"
          r"esta|se pudo|lo vieron|la vieron|pudieron|quedaron|tienen|habra|quedara)[^?]{0,60}\?|"
          r"cuanto (?:tardan|tarda|tiempo|falta|mas)|para cuando|cuando (?:queda*|estara*|podran|estaria)|estatus|status|que onda con"),
    # Who asks "and the …?" asks for something that the group knows: a bare definite phrase holds no news.
    (1.5, r"^(?:(?!y |e |and )[\w.,]+ ){0,4}(?:y|e|and) (?:lo|la|el|los|las|mi|mis|o|a|os|as|meu|minha|the|my|our)(?: [\w.,-]+){1,6} ?\?"),
    (1.5, r"(?:did|has|have|is|can) (?:any ?one|any ?body|someone|somebody) (?:\w+ )?(?:get|got|looked?|see|seen|check\w*|take|taken|working|on)|any ?(?:one|body) there|"
          r"algun[ao]? (?:\w+ )?(?:posicion|noticia|novedad)|(?:nadie|alguien|ninguem|alguem|anyone|anybody)\b ?\?|nadie (?:me )?(?:resolvi\w+|dijo|vino|atendi\w+|ha \w+)|no (?:vino|viene|llamo) nadie|"
          r"que (?:dijo|dijeron|dicen|respondio|respondieron)|alguma posicao|continua\w* (?!por )\w+"),
    (1.3, r"^(?:\w+ ){0,2}(?:y|e) (?:lo|la|los|las|el|mi|mis|lo mio|o|os|as|meu|meus|minha) \w+(?: \w+){0,3}$"),
    # Who was promised a visit or a part tells that it did not come: always of a matter that is known.
    (1.5, r"(?:no|nunca|nao|tampoco) (?:vino|vinieron|llego|paso|ha venido|han venido|veio|apareceu|aparecio)(?: \w+){0,2} (?:tecnico|tecnicos|nadie|ninguem|ningun|mensajero|repuesto)|"
          r"(?:tecnico|technician|ingeniero|mensajero|spare|replacement|repuesto)(?: \w+){0,2} (?:no|nunca|never|didn't|nao) \w+|ninguem (?:me )?(?:ligou|veio|respondeu|viu|ajud\w+)|nadie (?:me )?(?:llamo|marco)"),
    (1.5, r"(?:sigue|siguen|segue|seguem|continua|continuam|still) \w+(?:ad|id)[oa]s?"),
    (1.5, r"nada (?:ainda|aun|todavia|yet)|(?:ainda|aun|todavia) nada|nothing yet"),
    (0.9, r"segue|seguem|continua|continuam|ainda|permanece"),
    (0.8, r"respecto a|acerca de|con relacion a|referente a|en cuanto a"),
    (1.5, r"lo del (?!dia\b)\w+|sobre (?:o|a|aquel[ea]) \w+|about (?:the|my|our|that) \w+"),
    (1.5, r"sobre lo|lo de (?:la|el|ayer|los|las|mi|hoy)|retomando|recordatorio|me recuerdan|dando seguimiento|seguimiento (?:a|al|del|de)|"
          r"sin (?:respuesta|solucion|novedad|avance)|hoy tampoco|^y (?:lo|el|la|los|las) (?:mio|mia|mios|mias|nuestro|nuestra|otro|otra)|nadie (?:contesta|responde|me contesta|nos contesta|me apoya|nos apoya)|"
          r"no (?:me|nos) han (?:contestado|respondido|apoyado|resuelto|atendido|dado)|no he tenido respuesta|"
          r"otra vez (?:lo|igual|con)|de nuevo (?:lo|igual|con)|el mismo (?:error|problema|detalle)|no se ha (?:resuelto|solucionado|corregido)"),
    (0.9, r"aun|todavia|sigue|siguen|sigo|seguimos"),
    (1.5, r"any (?:news|update*|word|progress|luck|answer*)|still (?:\w+)|same (?:issue|problem|error)|status\?|(?:ticket|case) \d+ status|waiting|"
          r"how long|eta|what's the status|follow* up|any one\?|bump|again"),
    (1.5, r"alguma (?:novidade|resposta|noticia|previsao)|ainda (?:\w+)|continua* (?:\w+)|segue (?:sem|igual|com)|mesmo (?:problema|erro) de|e ai|"
          r"aguard*|quanto tempo|previsao"),
)  # fmt: skip

DETAIL: Final[Table] = (
    (1.2, r"(?:ya|si ya|tambien ya) (?:lo |la |los |se |le |les |me |nos )*(?:reinici*|reset*|apag*|intent*|prob*|revis*|cheq*|cambi*|desconect*|conect*|"
          r"cerr*|abr*|actualiz*|valid*|hice|hicimos|mand*|envi*|pas*|di|dimos|levant*|report*|borr*|sal*|entr*|verifi*)"),
    (1, r"(?:es|son|seria*|era|fue) (?:el|la|los|las|de|del|en|este|esta|un|una|para|por|con|desde|cuando|solo|todo*)|(?:el|la) (?:folio|ticket|pedido|"
        r"orden|factura|codigo|numero|articulo|serie) es|aqui (?:esta|va|estan|le|les|te)|este es|esta es|estos son|estas son|ese es|esa es"),
    (0.8, r"^(?:es|son|era|eran|fue|esta|estan) \w+"),
    (1, r"(?:te|les|le|adjunto|anexo|envio|mando|comparto|agrego|paso|aqui) (?:\w+ )?(?:foto*|imagen*|captura*|evidencia*|pantalla*|archivo*|video*|excel|datos)|"
        r"asi (?:sale|aparece|me|nos|esta|se|lo)|me (?:aparece|sale|marca|dice|manda) (?:esto|asi|lo mismo|ahora|este|lo siguiente)|(?:ahora|ahorita) "
        r"(?:me|nos|si|ya|dice|marca|sale|aparece|manda)|es (?:correcto|asi)"),
    (0.8, r"^(?:pero|porque|y|entonces|es que|o sea|ademas|aparte|incluso|solo que|ya que|pues|aunque|igual|si pero|tambien)"),
    (0.8, r"^no$|^no(?= ?[,.])|^(?:si|exacto|afirmativo|negativo|tampoco|todas|todos|ninguno|ninguna|solo|desde|ambos|ambas|nada|todo|tal cual|eso|esa|ese|"
        r"el de|la de|los de)"),
    (1, r"(?:it's|its|it is|this is|that's) (?:the|a|in|on|from|only|at)|i (?:already|have|tried|just|restarted|rebooted|sent)|we (?:already|have|tried|just|"
        r"restarted|rebooted)|here (?:is|are|it)|the one (?:in|at|on)|^(?:yes|yep|nope|and|but|because|only)|^no(?= ?[,.]|$)"),
    (1, r"(?:e|sao|foi) (?:o|a|da|do|na|no)|ja (?:reinici*|tent*|fiz|fizemos|test*)|segue (?:a|o|em) (?:foto|print|imagem|anexo)|^(?:sim|mas|porque|esse)"),
)  # fmt: skip

RESOLUTION: Final[Table] = (
    (2, r"(?:ya|y a) (?:me |nos |se |le |les |lo |la |los |las |los )*(?:quedo|quedaron|queda|funcion*|jala|jalo|sirve|sirvio|pude|pudo|pudimos|pudieron|imprim*|"
        r"abrio|abre|entro|entre|aparece*|aparecio|timbr*|recib*|recepcion*|cobr*|corrig*|correg*|solucion*|resol*|arregl*|regres*|restable*|"
        r"liber*|autoriz*|habilit*|activ*|dio|salio|paso|descarg*|cargo|refleja*|reflejo|actualizo|cayo|conecto|prendio|encendio|desbloque*)"),
    (2, r"ya (?:esta|estan|quedo|quedaron|fue|fueron|tengo|tenemos|tiene|tienen|hay|puede|pueden) (?:\w+ )?(?:list*|funcion*|correct*|liberad*|autoriz*|"
        r"cargad*|habilitad*|activ*|corregid*|actualizad*|solucionad*|resuelt*|arreglad*|reflejad*|dad*|generad*|cancelad*|asignad*|sistema|internet|"
        r"servicio|luz|linea|acceso|disponible*|en sistema|modificad*|bien|ok|recepcion*|cobrar|facturar|vender|recibir|timbrar|entrar|imprimir|ajustad*)"),
    (1.6, r"(?:quedo|quedaron|queda|quedan|quedado) (?:list*|resuelt*|solucionad*|corregid*|ok|bien|liberad*|actualizad*|cargad*|dad*|habilitad*|activ*|"
          r"atendid*|arreglad*|funcion*|autorizad*|cancelad*|modificad*|ajustad*)"),
    (1.2, r"^(?:(?:ya|si|ok|va|bien),? )?(?:esta |estan |quedo |queda |fue )?(?!enterad|nada|pedid|mercad|estado|traslad|cuidad|lado|contad|sonid|apellid|cada|demasiad|pasad|helad|ensalad|entrada)\w{3,}(?:ado|ada|ados|adas|ido|ida|idos|idas)(?:$|(?= ?[,.!])|(?= (?:la|el|los|las|tu|su|sus|por|a|al)(?!\w)))"),
    (1.8, r"^(?:ya|listo|ahora si|ya si|eso era|era eso|si ya|ya ok|quedo|solucionado|solved|done)[ ,.]+(?:muchas |mil |muchisimas )*gracias|^(?:ahora si|era eso|eso era)|^(?:ya|listo|si ya)$|^(?:si|listo|ok)?,? ?ya (?!no |me |nos |quisiera)\w+[^?]{0,40} gracias|^quedo(?! (?:pendiente|atent|al |en |a la))|gracias,? ya (?!no)\w+"),
    (1.6, r"(?:listo|^lista|listos|resuelto|resuelta|solucionado|solucionada|corregido|corregida|liberado|liberada|liberados|hecho|arreglado|"
          r"reparado|actualizado|autorizado|autorizada|habilitado|cancelado|aplicado|realizado|atendido|cargado|cargados|cargada|modificado|ajustado|"
          r"activado|desbloqueado|generado|generada|asignado)"),
    (1.6, r"se (?:resolvio|soluciono|corrigio|arreglo|restablecio|libero|habilito|actualizo|dio de alta|autorizo|genero|cancelo|cargo|modifico|ajusto)|"
          r"problema (?:resuelto|solucionado)|todo (?:listo|en orden|bien ya|funcionando)|era (?:la|el|un|una|que|por)|fue (?:la|el|un|una) (?:cable|contraseña)|"
          r"ya no (?:marca|hay|sale|aparece|manda|da) (?:\w+ )?(?:error|problema|falla|mensaje)"),
    (1.8, r"(?:works|working|fixed|solved|resolved|back up|back online|sorted|it's back|all good)(?: now| again)?|done|problem solved|"
          r"(?:i|we) (?:can|could) (?:now|finally) \w+|is back|up and running"),
    (1.7, r"^(?:(?:ok|ya|si|listo|perfecto|perfeito|excelente|otimo)[ ,]+)?(?!enterad|entendid|recibid|anotad|copiad|agradecid|confirmad|tomad)\w{2,}(?:ad|id)[oa]s?[ ,.]+(?:muchas |mil |muito )?(?:gracias|obrigad\w+|valeu|thanks)|(?:agora|ya|ahora si) (?!no\b|nao\b)\w{3,}(?:ou|eu|iu)(?!\w)|^agora (?:foi|sim|deu)"),
    (1.7, r"(?:that|this|it) (?:did it|worked|fixed it|solved it|did the trick)|con eso (?:ya |si |me )*(?:quedo|funciono|salio|jalo|pude|se arreglo)|isso (?:resolveu|funcionou)"),
    (0.9, r"^(?:(?:ya|si|ok|listo|ah)[ ,]+)?(?:me |nos )?\w{3,}(?:io|ou|eu)$|^(?:(?:si|listo|ahora)[ ,]+)?ya (?:(?:se|me|nos|los|las|lo|la) )+(?!pas|mand|envi|report|cans|dij|explic)\w{3,}"),
    # Said by itself these only assent; behind an answer they confirm it (see `incidents`).
    (0.9, r"(?:recibid[oa]s?|confirmad[oa]|confirmo|confirmed|confirmamos|verificad[oa]|rendid[oa]|era eso|eso era|(?:looks|all|is|good|we are|we're|i'm) good(?: now)?|good now|certinho|certo agora|valido|comprobad[oa])"),
    (1.8, r"(?:ja|agora) (?:voltou|funcion*|esta funcion*|deu certo|consegui*|abriu|imprimiu|resolv*|foi|esta (?:ok|normal|certo))|resolvid*|"
          r"resolveu|deu certo|voltou(?: a funcionar)?|pronto|corrigid*|liberad*|feito"),
)  # fmt: skip

ASKS_SITE: Final = (
    r"(?:que|cual|de que|en que|de cual|cual es la|cual es tu|which|what|qual|de qual|que numero de) (?:es )?(?:la |tu |su )?"
    r"(?:tienda|sucursal|punto|drogueria|farmacia|local|sede|unidad|store|site|branch|loja|restaurante)[^?]{0,20}\?"
)
"""A question for the store that is meant."""

NOT_YET: Final = r"(?:no|aun no|todavia no|nao|not|isn't|ainda nao|sin|tampoco|nunca) (?:ha |han |me |nos |se |lo |la |le |esta |estan |queda |quedo |quedado |yet )*$"
"""In front of a resolution phrase it takes the resolution back."""

ANSWER: Final[Table] = (
    (1.5, r"que (?:es lo que )?(?:se |te |les )?(?:necesita*|requier*|ocupa*|pasa|pasando|paso|sucede*|sucedio)[^?]{0,30}\?"),
    (1.6, r"(?:que|cual|de que|en que|cual es (?:el|la|tu)|cuales) (?:es |son )?(?:el |la |los |las |tu |su )?(?:tienda*|sucursal*|folio*|numero*|pedido*|orden|"
          r"codigo*|articulo*|factura*|error|mensaje|usuario|caja|unidad|proveedor*|sku|version|equipo|modelo|ip|serie|correo|ticket)[^?]*\?"),
    (1.5, r"(?:me|nos) (?:regalas|regala|regalan|compartes|comparte|pasas|mandas|envias|confirmas|confirman|das|dices|proporcionas|indicas|"
          r"puedes (?:mandar|pasar|compartir|enviar|confirmar|dar|regalar|indicar|apoyar))(?: \w+)* (?:folio|numero|pedido|captura|foto*|codigo*|"
          r"tienda|pantalla|evidencia|datos|orden|factura|nombre|usuario|articulo*|id|any\w*)"),
    (1.5, r"(?:intenten*|intenta|intente|prueben|prueba|pruebe|pruebalo|intentalo|validen|valide|revisen|revise|reinicien|reinicie|reinicia|apaguen|apague|"
          r"cierren|abran|entren|salgan|actualicen|actualice|esperen|espere|reciban|procesen|chequen|cheque|llamen|conecten|hagan|haga|haz|ingresen|"
          r"manden|mandame|mandenme|envien|enviame|enviame|pasame|pasenme|compartan|comparteme|levanten|levanta|capturen|generen|vuelvan|vuelve|vuelva) ?"),
    (1.5, r"(?:lo|la|los|las|ya lo|estoy|estamos|ahorita lo|ahorita la|enseguida|en seguida|ahora lo) (?:revis*|valid*|cheq*|checo|vemos|veo|reviso|"
          r"atiend*|atend*|corrig*|corro|libero|escalo|escalamos|canaliz*|reporto|reportamos|verific*)|(?:revisando|validando|verificando|checando|trabajando|atendiendo|"
          r"corrigiendo|escalando|en revision|en proceso|en eso|en un momento|un momento|permiteme|permitame|permitanme|dejame|dejenme|deja (?:lo|la|reviso|"
          r"checo|valido|veo)|enseguida|en seguida|en breve|ahorita (?:lo|la|te|les|reviso|checo|valido|queda))"),
    (1.2, r"(?:ya|se) (?:lo |la |los |le |les |te |se )*(?:escal*|canaliz*|report*|pas* a|envi* (?:a|al)|levant*|solicit*|asign*|libere|liberamos|corregi|"
          r"active|habilite|actualice|cargue|di de alta|modifique|cancele|autorice|genere)|ya (?:te|les|le|se) (?:lo |la |los )?\w+|favor de (?:levantar|"
          r"enviar|mandar|validar con|revisar con|comunicar*|reportar*|esperar|intentar|probar)"),
    (1, r"(?:debe*|deben|tienen que|tienes que|hay que|necesitan|puedes|pueden) (?:\w+ )?(?:levantar|enviar|intentar|probar|validar|revisar|recibir|hacer|"
        r"esperar|reiniciar|salir|entrar|mandar|comunicarse|solicitar|apagar|capturar|generar|cancelar)|te (?:marco|llamo|escribo|mando|apoyo|ayudo|"
        r"confirmo|aviso)|les (?:confirmo|aviso|apoyo|comparto)|(?:con|por) (?:tu|su) (?:folio|numero de ticket)|levant\w+ (?:un |tu |su )?(?:ticket|folio|reporte)"),
    (1.5, r"which (?:store|site|order|branch|register|one)|what (?:store|is the|error|order|does)|(?:try|please try|can you try|could you try)|"
          r"(?:i'm|we're|i am|we are|i'll|let me|will) (?:look*|check*|work*|fix*|escalat*|on it|take a look)|looking into|checking|on it|"
          r"(?:send|share) (?:me|us) (?:the|a)|have you (?:tried|restarted)|escalated"),
    (1.5, r"(?:qual|em qual|que) (?:loja|pedido|numero|erro|caixa)|(?:tente*|tentem|verifique*|reinicie*|testem|teste) \w+|(?:vou|estou|vamos|estamos) "
          r"(?:verific*|olh*|analis*|ver|vendo|checar|resolver|abrir)|verificando|um momento|pode (?:me )?(?:enviar|mandar|tentar|confirmar|passar)|ja (?:abri|encaminhei)"),
)  # fmt: skip

ANNOUNCEMENT: Final[Table] = (
    (2, r"(?:habra|tendremos|tendran|se realizara|se realizaran|se llevara|se estara*|se hara|realizaremos|estaremos) (?:\w+ ){0,4}(?:mantenimiento*|actualizacion*|"
        r"corte*|ventana|migracion|inventario*|cambio*|intermitencia*|conteo)"),
    (1.6, r"(?:^aviso|aviso ?:|aviso importante|comunicado|atencion|importante ?:|^recordatorio|recuerden|recuerda|les recordamos|les recuerdo|se les recuerda|les informamos|les informo|"
          r"se informa|se les informa|se comunica|les comparto|se comparte|les notificamos|a partir de|favor de no|no olviden|tomar nota|tengan presente|"
          r"para su conocimiento|para conocimiento|les pedimos|se les solicita|se les pide|a todas las tiendas|a todos)"),
    (1.6, r"(?:informo|comunico|les aviso|lembrando|lembro|recordando|recordandoles|les recuerdo|remember) (?:que|a todos|a todas|that)|nao (?:havera|tera|vai ter)|no (?:habra|va a haber)|will be (?:closed|down|unavailable)|enquete|encuesta|duvidas no privado"),
    # Maintenance and a time of day: what is to come, not what is broken.
    (1.8, r"(?:mantenimiento|maintenance|manutencao|migracion|migracao|migration)(?: [^?]{0,50})? (?:a las|as|at|de|from|desde|das|entre) \d{1,2}(?::\d\d|h)?|(?:a las|as|at|de|from|das) \d{1,2}(?::\d\d|h| ?[ap]m)? (?:[^?]{0,40} )?(?:mantenimiento|maintenance|manutencao|migracion|migracao|migration)"),
    (1.4, r"mantenimiento (?:programado|hoy|mañana|manana)|actualizacion programada|no facturen|no (?:hagan|reciban|cierren|muevan|generen|realicen|facturar)"),
    (1.8, r"(?:scheduled|planned) (?:maintenance|update|outage|downtime)|there will be|reminder|announcement|please note|attention|meeting moved|fyi|heads up"),
    (1.8, r"(?:havera|teremos|sera) (?:\w+ ){0,3}(?:manutencao|atualizacao)|lembrete|^aviso|comunicado|informamos|lembrem|a partir de"),
)  # fmt: skip

SAME_CASE: Final[Table] = (
    (2, r"(?:el |es el |tengo el |tenemos el |con el |estamos en el |presentamos el )?mism[oa] (?:caso|problema|error|detalle|situacion|falla|tema|mensaje|asunto|incidencia)"
        r"|(?:lo|la) mism[oa] (?:en|aqui|pasa|sucede|con|para|me|nos|por|para)"),
    (1.8, r"igual(?:mente)? (?:aqui|en|yo|estamos|aca|tienda|nosotros|a mi|nos pasa|me pasa)|aqui (?:igual|tambien|tampoco|lo mismo)|^igual$"),
    (1.6, r"(?:a mi|yo|nosotros|aqui|aca|en la|la|tienda|por aca|por aqui) (?:\d+ )?(?:tambien|tampoco|igual)|(?:tambien|tampoco) (?:aqui|en la|a mi|nosotros|yo|"
          r"la|en tienda|en|tienda|aca|nos pasa|me pasa|estamos)|me pasa (?:lo mismo|igual)|nos pasa (?:lo mismo|igual)|estamos igual|me sumo|x2|\+1"),
    (1.8, r"^(?:\w+ ){1,3}(?:too|as well|tambien|tambem|tampoco|igual)$"),
    (0.8, r"^(?:aqui|aca|nosotros|por aca|por aqui|en la \d+|here)"),
    (1.8, r"same (?:here|at|in|for us|issue (?:here|at|in)|problem (?:here|at|in)|case)|me too|us too|also (?:here|at|in)|here too"),
    (1.8, r"mesm[oa] (?:caso|coisa|problema|situacao|erro) (?:aqui|na|no|em)|aqui tambem|tambem (?:aqui|na|no|estou|estamos)|aqui tb"),
)  # fmt: skip

PEERS: Final[Table] = (
    (1.5, r"(?:quien|alguien|alguno|alguna|algun|quem|alguem|any ?one|any ?body|who)(?: \w+){0,3} (?:tiene|tenga|tendra|trae|traiga|presta|preste|prestara|vende|venda|cambia|regala|sobra|sobro|tem|tenha|has|have|got|selling|sell|lend|spare)(?!\w)(?! (?:el mismo|la misma|este|ese|problema|error|acceso|the same|noticias|novedad|respuesta|idea|solucion|sistema|internet|luz|listo))"),
    (2, r"(?:vendo|se vende|vendemos|rifo|rifa|remato|busco (?:casa|depa|cuarto|trabajo)|for sale|selling my|vende-se|vendendo|alquilo|rento|se renta)"),
    (1.5, r"por si (?:ocupan|alguien|les sirve|necesitan)|si alguien (?:ocupa|necesita|quiere|gusta)|if (?:anyone|anybody) (?:needs|wants)|se alguem (?:precisar|quiser)"),
    (1, r"te (?:la|las|lo|los) (?:aparto|mando|presto|llevo|guardo|paso)|paso por (?:ella|ellas|el|ellos|ahi)|i can (?:send|lend|give|spare) you|tenho aqui|te empresto|manda o motoboy"),
)  # fmt: skip

TO_ALL: Final = (
    r"^(?:\w+[ ,]+){0,3}(?:senores|senhores|equipo|todos|todas|companer\w+|colegas|chicos|chicas|muchachos|pessoal|gente|meninas|galera|"
    r"team|guys|everyone|everybody|all|folks)(?!\w)"
)
"""Speaks to everybody; who solves then mostly announces."""

LAUGHS: Final = r"(?<!\w)(?:(?:ja|je|ji|ha|he|ah){2,}[jh]?|jaj\w*|lol|lmao|rofl|k{3,}|kk|(?:rs){2,}|xd)(?!\w)"

ANOTHER: Final[Table] = (
    (1.2, r"^e (?:a|o|as|os) \w{2,}(?! ?\?)"),
    (1.2, r"^(?:y|e|and|also|tambien|tambem|ademas|aparte|ahora|de paso|por otro lado|por otra parte|igualmente)(?= (?!ya|si |no |nada|sigue|igual|a |aqui|yo|que |eso|esto|lo |hoy|ayer|cuando|cuanto|como)\w)"),
    (1.2, r"otr[oa]s? (?:casos?|temas?|detallit\w+|cosit\w+|dudit\w+|favorcit\w+|mas|cosas|pedidos|ordenes|facturas)|(?:y )?(?:de paso|ya que (?:estamos|estan|estas|andan)|aprovechando|aproveitando)"),
    (1.2, r"otr[oa] (?:caso|tema|detalle|problema|duda|apoyo|consulta|cosa|situacion|pedido|ticket|tienda|reporte|favor|orden|factura|articulo)|"
          r"(?:tambien|ademas|aparte|de igual forma|asi mismo|asimismo|igual) (?:\w+ )?(?:me|nos|la|el|en|tengo|tenemos|necesit*|solicit*|requier*|ayud*|apoy*)"),
    (1.2, r"another (?:issue|problem|thing|one|case|question)|also|outro (?:caso|problema|assunto)|outra (?:coisa|duvida|loja)|nuevo (?:caso|reporte|problema)"),
)  # fmt: skip

STOP: Final = """
que los las una uno por para con del esta este esto estan muy hay como cuando porque nos sus ese esa eso pero
mas sin sobre entre desde hasta buen buenos buenas dia dias tarde tardes noche noches hola gracias favor apoyo
ayuda apoyan ayudan pueden podrian podran puede equipo todos the and for with this that you our are not can
please thanks hello from have has was its uma nao com voce voces isso esse tienda sucursal ya me le les se al
el la un de en no si su tu lo es son fue ser sigue siguen alguien aqui ahora tengo tenemos tiene apoyar ayudar
sale salen deja dejan dejo aparece aparecen marca dice puedo podemos hace hacer falta mismo misma otra otro
vez ayer hoy manana tambien tambem queda quedo quedaron todavia aun nada nadie solo bien mal antes despues
mientras cada asi ahi alla still get got when what why how did does done too also any one some now then than
only just been being were will would could there here they them mesmo mesma ainda agora ontem hoje amanha
quando tudo ninguem fica ficou gente pra pro dos das nas uns umas ela ele eles elas
"""
"""Words that tie nothing: those of grammar and courtesy, and the verbs of every report."""

LANGUAGE_MARKERS: Final[dict[str, frozenset[str]]] = {
    "es": frozenset(["el", "los", "las", "una", "por", "para", "con", "gracias", "buenas", "buenos", "dia", "tienda", "pedido", "favor", "apoyo", "esta", "estan", "muy", "ya", "pero", "hay", "como", "cuando", "porque", "nos", "su", "ayuda", "sigue", "quedo"]),
    "en": frozenset(["the", "is", "are", "a", "an", "and", "to", "of", "in", "with", "please", "not", "it", "my", "we", "can", "can't", "doesn't", "thanks", "hello", "you", "our", "this", "that", "for"]),
    "pt": frozenset(["o", "os", "um", "uma", "nao", "com", "por", "para", "obrigado", "obrigada", "bom", "boa", "dia", "loja", "voce", "voces", "esta", "estao", "do", "da", "na", "no", "em", "mas", "ja", "ainda", "pedido", "ajuda", "consigo", "sistema"]),
}  # fmt: skip


def compile_table(table: Table) -> Compiled:
    """The table with its phrases as regular expressions over folded text."""
    return tuple((weight, compile_phrase(phrase)) for weight, phrase in table)


def compile_phrase(phrase: str) -> re.Pattern[str]:
    """A phrase of the notation above, bounded by words."""
    body = phrase.replace("(?:~)?", _PRONOUNS).replace("~", _PRONOUNS)
    body = re.sub(r"(?<=[a-zñ])(?<!\\w)\*", r"\\w*", body)
    return re.compile(rf"(?<!\w)(?:{body})(?!\w)")
