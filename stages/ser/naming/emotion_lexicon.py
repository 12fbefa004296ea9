"""Words for emotions and states in many languages, by which the part of a name that states the label is found.

They find it, they never translate it: the label is what is written there.
"""

from functools import cache, lru_cache

from ser.naming.spellings import search_key, spelling_key

# words of several parts have a + between them: pleasant+surprise
_WORDS = {
    "English": """
        anger angry annoyed annoyance irritated irritation rage furious fury mad frustrated frustration boredom bored
        calm calmness relaxed relaxation peaceful content contentment serene disgust disgusted disgusting contempt
        contemptuous disdain hate hatred fear fearful afraid scared frightened anxiety anxious nervous nervousness
        worried worry panic terror happiness happy joy joyful joyous cheerful cheer delight delighted elation elated
        amused amusement laughter excitement excited enthusiasm enthusiastic interest interested pride proud love
        loving tender tenderness hope hopeful hopeless neutral neutrality normal sadness sad sorrow sorrowful grief
        despair depressed depression lonely loneliness surprise surprised surprising astonished astonishment amazed
        amazement shock shocked pleasant+surprise pleasant+surprised pleasantly+surprised unpleasant+surprise shame
        ashamed guilt guilty embarrassed embarrassment jealous jealousy envy envious regret remorse satisfied
        satisfaction dissatisfied dissatisfaction unsatisfied disappointed disappointment stress stressed unstressed
        not+stressed no+stress tired tiredness fatigue fatigued sleepy sleepiness confused confusion helpless
        helplessness concentrated concentration bored+out focused distressed distress pain positive negative polite
        impolite friendly unfriendly hostile aggressive aggression sarcastic sarcasm ironic irony assertive apologetic
        empathetic empathy encouraging emphatic motherese comforting comfort concerned contented doubt doubtful
        curious curiosity relief relieved sympathy gratitude grateful admiration nostalgia suspicious triumph whisper
        whispered very+happy very+sad very+angry hot+anger cold+anger not+angry not+sad not+happy unhappy emotional
        unemotional agitated agitation upset cry crying
        """,
    "German": """
        ärger wut zorn wütend zornig ärgerlich gereizt verärgert aufgebracht freude fröhlich froh glücklich glück
        heiter trauer traurig traurigkeit angst ängstlich furcht furchtsam ekel angeekelt angewidert überraschung
        überrascht langeweile gelangweilt neutral ruhig ruhe entspannt verachtung verächtlich frustriert aufgeregt
        zufrieden zufriedenheit unzufrieden unzufriedenheit gestresst müde müdigkeit verwirrt stolz scham enttäuscht
        enttäuschung begeistert nervös verliebt liebe
        """,
    "French": """
        colère fâché fâchée énervé énervée furieux furieuse joie joyeux joyeuse heureux heureuse bonheur content
        contente contents gai gaie tristesse triste peur effrayé effrayée apeuré dégoût dégoûté dégoûtée surprise
        surpris neutre ennui ennuyé ennuyée calme mépris frustré frustrée stressé stressée fatigué fatiguée excité
        excitée anxieux anxieuse anxiété inquiet inquiète confus confuse satisfait satisfaite insatisfait insatisfaite
        déçu déçue amusé amusement fierté fier honte amour rage
        """,
    "Spanish": """
        ira enojo enojado enojada enfado enfadado enfadada rabia furioso furiosa alegría alegre feliz felicidad
        contento contenta tristeza triste miedo temor asustado asustada asco disgustado repugnancia sorpresa
        sorprendido sorprendida neutro neutra aburrimiento aburrido aburrida tranquilo tranquila calma desprecio
        frustrado frustrada frustración estresado estresada estrés cansado cansada ansioso ansiosa ansiedad emocionado
        emocionada confundido satisfecho satisfecha insatisfecho insatisfecha decepcionado
        """,
    "Italian": """
        rabbia arrabbiato arrabbiata gioia gioioso gioiosa felice felicità allegria allegro tristezza triste paura
        impaurito spaventato spaventata disgusto disgustato disgustata sorpresa sorpreso neutro neutra neutralità
        neutrale noia annoiato annoiata calmo calma disprezzo frustrato frustrata stressato stressata stanco stanca
        ansia ansioso eccitato soddisfatto soddisfatta insoddisfatto
        """,
    "Portuguese": """
        raiva zangado zangada bravo brava irritado irritada alegria alegre feliz felicidade tristeza triste medo
        assustado assustada nojo repulsa surpresa surpreso surpreendido neutro neutra neutralidade tédio entediado
        entediada calmo desprezo frustrado estressado cansado cansada ansioso ansiedade satisfeito satisfeita
        insatisfeito insatisfeita
        """,
    "Romanian": """
        furie furios nervos supărare supărat supărată bucurie bucuros fericit fericită fericire tristețe trist tristă
        frică speriat speriată dezgust dezgustat surpriză surprins neutru neutră calm plictisit
        """,
    "Turkish": """
        kızgın kızgınlık öfke öfkeli sinirli sinir mutlu mutluluk neşe neşeli sevinç sevinçli üzgün üzüntü hüzün
        hüzünlü mutsuz korku korkmuş korkulu iğrenme tiksinti tiksinme iğrenmiş şaşkın şaşkınlık şaşırmış nötr doğal
        sakin sıkılmış sıkıntı heyecanlı heyecan yorgun stresli memnun kaygı kaygılı endişe endişeli
        """,
    "Polish": """
        złość gniew zły zła wściekły wściekłość radość radosny radosna szczęście szczęśliwy szczęśliwa wesoły smutek
        smutny smutna strach lęk przestraszony wstręt obrzydzenie zaskoczenie zdziwienie zaskoczony neutralny
        neutralna neutralne nuda znudzony spokój spokojny pogarda zmęczony zdenerwowany zadowolony niezadowolony
        ironia
        """,
    "Czech and Slovak": """
        vztek zlost hněv naštvaný naštvaná rozzlobený radost šťastný šťastná veselý smutek smutný smutná strach
        znechucení odpor překvapení překvapený neutrální nuda znuděný klid klidný hnev zlosť radosť šťastie smútok
        znechutenie prekvapenie neutrálny nahnevaný
        """,
    "South Slavic": """
        ljutnja ljut ljuta bijes bes radost srećan srećna sretan tuga tužan tužna strah gađenje iznenađenje neutralno
        neutralan jeza veselje žalost gnus presenečenje nevtralno dosada mirno
        """,
    "Hungarian": """
        düh dühös harag mérges öröm boldog boldogság szomorú szomorúság félelem félős ijedt undor meglepetés meglepett
        semleges unalom unott nyugodt
        """,
    "Finnish and Estonian": """
        viha vihainen ilo iloinen onnellinen suru surullinen pelko pelokas inho yllätys yllättynyt neutraali tylsyys
        rauhallinen kurbus kurb hirm vastikus üllatus neutraalne vihane
        """,
    "Russian": """
        гнев злость злой злая ярость раздражение радость радостный радостная счастье счастливый счастливая весёлый
        грусть грустный грустная печаль печальный страх испуг отвращение брезгливость удивление удивлённый нейтральный
        нейтральная нейтрально нейтраль скука спокойствие спокойный презрение восторг энтузиазм разочарование
        усталость тревога gnev zlost radost schastye grust pechal strakh otvrashchenie udivlenie
        """,
    "Ukrainian and Bulgarian": """
        гнів злість радість щастя сум смуток страх відраза подив здивування нейтральний нейтрально нудьга спокій гняв
        радост щастие тъга отвращение изненада неутрално неутрален скука спокоен
        """,
    "Dutch": """
        boosheid boos woede woedend kwaad blijdschap blij gelukkig geluk vreugde vrolijk verdriet verdrietig droevig
        droefheid angst angstig bang walging walgend afkeer verrassing verrast neutraal verveling verveeld kalm rustig
        minachting gefrustreerd gestrest moe tevreden ontevreden
        """,
    "Scandinavian": """
        ilska arg argsint ilsken glädje glad lycklig lycka sorg ledsen ledsam sorgsen rädsla rädd avsky äcklad
        förvåning förvånad överraskning överraskad neutral uttråkad lugn vred vrede sint sinne glede glæde lykkelig
        trist bange frykt redd avsmak afsky overraskelse overrasket forbløffet nøytral nervøs förakt trött stressad
        nöjd missnöjd
        """,
    "Greek": """
        θυμός θυμωμένος θυμωμένη οργή χαρά χαρούμενος χαρούμενη ευτυχία λύπη λυπημένος λυπημένη θλίψη φόβος φοβισμένος
        αηδία αηδιασμένος έκπληξη έκπληκτος ουδέτερο ουδέτερος ουδέτερη βαρεμάρα ήρεμος ηρεμία thymos chara lypi fovos
        aidia ekplixi oudetero
        """,
    "Arabic": """
        غضب غاضب غاضبة الغضب غضبان فرح سعيد سعيدة سعادة الفرح السعادة فرحان حزن حزين حزينة الحزن خوف خائف خائفة الخوف
        خايف اشمئزاز الاشمئزاز قرف مفاجأة متفاجئ دهشة مندهش اندهاش محايد محايدة الحياد طبيعي عادي هادئ هدوء ملل متوتر
        قلق متعب راضي راض إحباط محبط مفاجاة ghadab farah huzn khawf
        """,
    "Persian": """
        خشم خشمگین عصبانی عصبانیت شادی شاد خوشحال خوشحالی غم غمگین اندوه ناراحت ناراحتی ترس ترسیده نفرت تنفر انزجار
        تعجب متعجب شگفتی خنثی عادی آرام آرامش خسته راضی ناراضی اضطراب مضطرب
        """,
    "Urdu": """
        غصہ ناراض خوشی خوش اداس اداسی غمگین ڈر خوف نفرت حیرت حیران غیر+جانبدار معمول پرسکون بیزار
        """,
    "Hebrew": """
        כעס כועס כועסת שמחה שמח עצב עצוב עצובה פחד מפחד גועל הפתעה מופתע ניטרלי נייטרלי רגוע שעמום משועמם
        """,
    "Hindi, Marathi and Nepali": """
        गुस्सा क्रोध क्रोधित नाराज खुशी खुश ख़ुशी ख़ुश प्रसन्न आनंद आनन्द दुख दुखी दुःख उदास उदासी डर भय घृणा नफरत
        आश्चर्य हैरान तटस्थ सामान्य शांत शान्त ऊब राग दुःखी चकित निराश निराशा भीती रिस खुसी gussa khushi udaas
        """,
    "Bengali": """
        রাগ ক্রোধ খুশি আনন্দ সুখ সুখী দুঃখ দুঃখিত বিষণ্ণ ভয় ঘৃণা বিস্ময় অবাক নিরপেক্ষ শান্ত
        """,
    "Tamil and Telugu": """
        கோபம் மகிழ்ச்சி சோகம் பயம் வெறுப்பு ஆச்சரியம் நடுநிலை కోపం సంతోషం ఆనందం బాధ విచారం భయం అసహ్యం ఆశ్చర్యం తటస్థ
        """,
    "Thai": "โกรธ ความโกรธ สุข มีความสุข ดีใจ เศร้า ความเศร้า กลัว รังเกียจ ประหลาดใจ แปลกใจ ปกติ เป็นกลาง หงุดหงิด เฉยๆ",
    "Vietnamese": """
        giận tức+giận giận+dữ vui vui+vẻ hạnh+phúc buồn buồn+bã sợ sợ+hãi ghê+tởm ngạc+nhiên bình+thường trung+tính
        """,
    "Indonesian and Malay": """
        marah senang bahagia gembira sedih takut jijik terkejut kaget netral bosan tenang cemas kecewa benci
        """,
    "Chinese": """
        生气 愤怒 怒 高兴 开心 快乐 喜悦 喜 悲伤 伤心 难过 悲 哀 害怕 恐惧 惊恐 惧 厌恶 讨厌 恶 惊讶 吃惊 惊 中性 中立
        平静 平常 无聊 焦虑 紧张 疲惫 疲劳 满意 不满意 不满 失望 兴奋 困惑 蔑视 轻蔑 沮丧 憤怒 生氣 高興 開心 快樂
        喜悅 悲傷 傷心 難過 恐懼 厭惡 驚訝 平靜 無聊 焦慮 緊張 滿意 失望 興奮 shengqi fennu gaoxing kaixin beishang
        nanguo haipa kongju yanwu jingya zhongxing
        """,
    "Japanese": """
        怒り 怒 喜び 喜 楽しい 楽しみ 楽 嬉しい うれしい 悲しみ 悲しい 哀 悲 恐れ 恐怖 恐い 怖い 嫌悪 嫌 驚き 驚 平静
        平常 中立 ニュートラル 通常 普通 退屈 落ち着き 不安 疲れ 満足 不満 興奮 困惑 軽蔑 いかり よろこび かなしみ
        おそれ おどろき けんお ikari yorokobi kanashimi kanashii ureshii okoru tanoshii osore kenio odoroki heijou
        """,
    "Korean": """
        분노 화남 화 화난 기쁨 행복 행복한 즐거움 슬픔 슬픈 두려움 공포 불안 혐오 놀람 놀라움 당황 중립 평온 무표정
        지루함 상처 피곤 만족 불만 스트레스 사랑스러움
        """,
    "Others": """
        hasira furaha huzuni hofu mshangao karaha haserre pozik triste beldur dikter
        """,
}  # fmt: skip


_SHORT = 4  # letters, below which a word without its accents is often another one


def _spellings(word: str) -> set[str]:
    """Return the keys of a word; umlauts are also written with an e."""
    plain = word.replace("+", " ")
    german = plain.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    keys = {search_key(plain), search_key(german)}
    return {key for key in keys if len(key) >= _SHORT} | {spelling_key(plain)}


@cache
def _keys() -> frozenset[str]:
    return frozenset(key for words in _WORDS.values() for word in words.split() for key in _spellings(word))


@cache
def parted_words() -> frozenset[str]:
    """Return the keys of the words that have several parts, with a space between: ``pleasant surprise``."""
    return frozenset(key for key in _keys() if " " in key)


@lru_cache(maxsize=10_000)
def means_emotion(word: str) -> bool:
    """Tell whether a word of some language names an emotion or a state, however it is spelt."""
    return search_key(word) in _keys() or spelling_key(word) in _keys()
