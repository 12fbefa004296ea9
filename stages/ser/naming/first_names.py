"""First names of many languages, by which a part of a name is known to say who speaks."""

from functools import cache

from ser.naming.spellings import search_key

_NAMES = """
    aaron abby abdul abdullah abel abigail adam adele adem adrian adriana agata agnes agnieszka ahmad ahmed ahmet
    aidan aiko aino aisha akira alain alan alba albert alberto aleksander aleksandra alena alessandra alessandro
    alessio alex alexander alexandra alexandre alexei alexey alexis alfie alfred ali alice alicia alina alisa alison
    allison alma alvaro alyssa amal amalia amanda amber amelia amelie amin amina amir amira amit amy ana anais anand
    anastasia andre andrea andreas andrei andres andrew andrey andrzej andy angela angelika angelo angie anil anita
    anja anjali anke ann anna annabel annalena anne annette annie annika anton antonia antonio antti anya april arda
    ari ariana arif arjun armin arne arnold arthur artur arturo aryan asha ashley astrid aurora ava axel ayla ayse
    aylin ayesha aziz azra barbara barry bartek bartosz basil bastian beata beate beatrice beatriz becky bella ben
    benjamin bernd bernard berta beth bettina betty bianca bilal bill billy bjorn blanca bob bogdan boris brad bram
    brandon brenda brian brigitte britta bruce bruno burak caleb calvin camila camilla camille can canan carl carla
    carlo carlos carmen carol carolin carolina caroline carter caspar cat catarina catherine cathy cecilia cedric
    celia celine cem cengiz chad chan chang charles charlie charlotte chen cheng chiara chloe chris christa christian
    christina christine christoph christopher chun cindy claire clara claudia claudio claus clement colin connor
    conrad corinna craig cristian cristina curt cynthia dagmar daisuke dale damian dan dana daniel daniela daniele
    danielle danny daria dario darius dave david dawn dean deborah debbie deepak defne deniz denis denise dennis derek
    diana didem diego dieter dietmar dilara dina dirk dmitri dmitry dominic dominik dominika don donald donna dora
    doris dorota dorothy doug dragan duc dylan ebru eda eddie edgar edith eduardo edward edwin efe ege eileen ela
    elena eleni eleonora elias elif elijah elin elisa elisabeth elise elizabeth elke ella ellen elliot elodie elsa
    elvira ema emil emily emilia emilie emine emir emma emmanuel emre enes enrico enrique enzo eren eric erica erik
    erika erin ernst esma esra esteban esther ethan eugen eugene eva evan evelyn ewa eylem fabian fabio fahad faisal
    farah fatih fatima fatma federica federico felicia felix ferdi fernanda fernando filip filippo fiona florence
    florian frances francesca francesco francisco francois frank franz franziska fred frederic frederik freya frida
    friedrich fritz furkan gabriel gabriela gabriele gabriella gareth gary gavin gemma geoff georg george georgia
    georgios gerald gerd gerhard gianni gina giorgia giorgio giorgos giovanni gisela giulia giulio giuseppe gloria
    gonzalo gordon grace graham greg gregor greta grzegorz guido guillaume gulsen gunter gustav guy hakan halil hamid
    hana hanna hannah hannes hans harald haris haruka haruki harry hasan hassan heather hector heidi heike heiko helen
    helena helene helga helmut henri henrik henry herbert hilal hilary hiroshi holger holly horst hugo huseyin hussein
    ian ibrahim ida ignacio igor ilaria ilja ilona ilse imran ina ines inga inge ingrid ioana ioannis ipek irem irena
    irene irina iris isaac isabel isabella isabelle ismail istvan ivan ivana ivo iwona izabela jaan jack jackie jacob
    jacqueline jacques jake jakob jakub james jamie jan jana jane janet janina janine janos jared jaroslav jasmin
    jasmine jason javier jay jean jeff jelena jen jenna jennifer jenny jens jeremy jerry jesper jess jesse jessica
    jesus jie jill jim jimmy jing joan joana joanna joao joachim jochen joe joel johan johann johanna johannes john
    johnny jon jonas jonathan jordan jorge jorg jose josef joseph josephine josh joshua joy juan juana judith julia
    julian juliana julie julien juliet julio julius jun jung junko jurgen justin justyna kaan kadir kai kamil karen
    karim karin karina karl karla karolina kasia kasper katarina katarzyna kate katharina katherine kathleen kathrin
    kathy katie katja katrin kavya kayla keith keiko kelly ken kenan kenji kenneth kerem kerstin kevin khalid kim kira
    kirsten klara klaus konrad konstantin kostas kris krishna kristen kristian kristin kristina krystyna krzysztof
    kumar kurt kyle lara larissa larry lars latifa laura lauren laurent laurie layla lea leah leandro lee leila lena
    leni lennart leo leon leonard leonardo leonie leyla li liam lidia lilian lily lin lina linda lindsay ling lisa liu
    livia liz lola lorena lorenzo lotta lotte louis louisa louise luc luca lucas lucia lucie lucy luigi luis luisa
    luiz lukas lukasz luke luna lydia lynn maciej madison mads magda magdalena mahmoud maja malgorzata malte manfred
    manuel manuela mara marc marcel marcello marcin marco marcos marcus mareike margaret margarita margherita maria
    mariam marian mariana marie marielle marija marina mario marion marisa marius mark marko markus marlene marta
    martha marthe martin martina marvin mary maryam masha massimo mateo mateusz mathias mathieu mathilde matilda matt
    matteo matthew matthias maurice mauro max maxim maximilian maya megan mehmet mei mel melanie melek melissa melike
    merel mert merve mia micha michael michaela michal michel michele michelle miguel mihai mika mike mikko mila milan
    milena milica milos min mina ming mira miriam miro mohamed mohammad mohammed mohsen moira molly mona monica monika
    monique morgan moritz muhammad murat murad mustafa nadia nadine nadja nancy naomi natalia natalie natasha nathan
    neha neil nele nelly neslihan nguyen niamh niccolo nicholas nick nico nicola nicolas nicole niels nikita niklas
    nikola nikolai nikos nils nina nisha noa noah noemi nora norbert nour nuno nuray nurcan octavia olaf ole oleg olga
    oliver olivia olivier omar omer orhan oscar oskar osman otto owen ozan ozge ozlem pablo pamela paola paolo pascal
    patricia patrick patrik paul paula pauline pavel pawel pedro peggy pekka pelin penny per pete peter petr petra
    phil philip philipp philippe pia pierre pietro pilar piotr piet pippa priya quentin rachel radek rafael rahul raj
    rajesh ralf ralph ramon rana raphael raquel rasmus raul ravi ray rebecca reem regina reinhard rene renata renate
    reza ricardo riccardo richard rick rita rob robert roberta roberto robin rodrigo roger rohan roland rolf roman
    romina ron ronja rosa rosie ross roxana ruben rudolf rui ruth ryan sabina sabine sabrina sadie sakura sally salma
    salome sam samantha sami samir samira samuel sandra sandro sandy sanjay sanna sara sarah sascha sasha saskia scott
    sean sebastian seda selin selma serdar serena sergei sergey sergio serkan sevgi shan shane shannon sharon shaun
    shawn sheila shreya sibel silke silvia simon simona simone sina sinem sofia sofie sol sonia sonja sophia sophie
    stacy stan stefan stefania stefanie steffen stella stephan stephanie stephen steve steven stuart sue suleyman sumi
    sunil sunita susan susana susanna susanne suzanne sven svenja svetlana sylvia sylvie tadeusz taha takashi talia
    tamara tanja tania tara tarik tarek taro tatiana taylor ted teresa terry tess thea theo theresa thomas thorsten
    tilda till tim timo timothy tina tobias toby todd tolga tom tomas tomasz tommaso tommy toni tony tracy tristan
    tuan tugba tuncay tuomas ugur ulla ulrich ulrike umit umut ursula ute uwe valentin valentina valeria valerie
    vanessa vera verena veronica veronika vicky victor victoria viktor viktoria vincent vincenzo viola violeta
    virginia vito vittoria vivian vlad vladimir volker walter wang wanda wei wendy werner wiebke wilhelm will william
    willy wojciech wolfgang xavier xiao ximena yagmur yan yana yang yann yannick yannis yara yasemin yasmin yasmine
    yasin yi yigit ying yuki yuri yusuf yuto yvonne yves
    hope faith rex felicity allegra verity mercy bliss honor gaia ilo
    zahra zara zehra zeynep zhang zhao zoe zofia zoltan zora
    zsofia zuzana анна мария елена ольга наталья татьяна ирина светлана екатерина александр алексей андрей сергей
    дмитрий иван михаил максим никита юлия дарья анастасия павел николай владимир محمد أحمد علي حسن حسين عمر يوسف خالد
    فاطمة مريم عائشة زينب سارة ليلى نور مريم رضا زهرا राम सीता अमित प्रिया राहुल नेहा अंजलि रवि 王 李 张 刘 陈 杨 赵
    黄 周 吴 小明 小红 田中 佐藤 鈴木 太郎 花子 김 이 박 최 민수 지영 μαρια ελενη γιωργος νικος κωστας γιαννης
    δημητρης
"""


@cache
def _keys() -> frozenset[str]:
    return frozenset(search_key(name) for name in _NAMES.split())


def is_first_name(word: str) -> bool:
    """Tell whether a word is a first name that is known here."""
    return search_key(word) in _keys()
